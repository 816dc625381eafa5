-- An event of 450 bytes a request, each with an id of its own, for wrk:
--   wrk -t2 -c64 -d10s --latency -s tests/bench/intake.lua http://127.0.0.1:8101/events
-- MODE=binary sends attributes as headers.
local binary = os.getenv("MODE") == "binary"
local threads = 0

function setup(thread)
   thread:set("thread_id", threads)
   threads = threads + 1
end

local data = '{"customer":{"email":"customer%d@acme.example","account":{"domain":"acme.example"}},'
   .. '"owner":"Grace","amount":12000.50,"currency":"EUR","deal":"D-%d",'
   .. '"note":"a line of text, as long as people write it into their systems: renewal, call in May"}'

local n = 0
function request()
   n = n + 1
   local id = string.format("%d-%d-%d", thread_id, os.time(), n)
   local body = string.format(data, n % 100000, n)
   if binary then
      return wrk.format("POST", nil, {
         ["content-type"] = "application/json", ["ce-specversion"] = "1.0", ["ce-id"] = id,
         ["ce-source"] = "https://crm.acme.example/deals", ["ce-type"] = "sales.deal.won",
         ["ce-time"] = "2026-01-08T10:12:07.123456Z"}, body)
   end
   return wrk.format("POST", nil, {["content-type"] = "application/cloudevents+json"},
      '{"specversion":"1.0","id":"' .. id .. '","source":"https://crm.acme.example/deals",'
      .. '"type":"sales.deal.won","time":"2026-01-08T10:12:07.123456Z",'
      .. '"datacontenttype":"application/json","data":' .. body .. '}')
end

local failed = 0
function response(status)
   if status ~= 202 then
      failed = failed + 1
      if failed == 1 then print("first answer that is not 202: " .. status) end
   end
end
