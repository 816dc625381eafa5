/* What is wrong in a source file's mapping is told with its place. */
#include "tests/unit/mapping_depot.h"

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *members, *pointer, *detail;
    } cases[] = {
        {"{\"rules\": []}", "/rules", "1 to"},
        {"{\"rules\": {}}", "/rules", "1 to"},
        {"{\"rules\": [7]}", "/rules/0", "object"},
        {"{\"rules\": [{\"if\": {\"/a\": 1}}]}", "/rules/0", "one of \"type\""},
        {"{\"rules\": [{\"type\": \"depot.thing.seen\", \"ignore\": \"x\"}]}", "/rules/0",
         "one of \"type\""},
        {"{\"rules\": [{\"type\": \"depot.thing.seen\", \"when\": {}}]}", "/rules/0/when", ""},
        {"{\"rules\": [{\"ignore\": \"x\", \"data\": {}}]}", "/rules/0/data", ""},
        {"{\"rules\": [{\"ignore\": \"\"}]}", "/rules/0/ignore", "reason"},
        {"{\"rules\": [{\"quarantine\": 7}]}", "/rules/0/quarantine", "reason"},
        {"{\"rules\": [{\"ignore\": \"x\"}, {\"ignore\": \"y\"}]}", "/rules/0", "no condition"},
        {"{\"rules\": [{\"type\": \"depot.thing.unheard\"}]}", "/rules/0/type", ""},
        {"{\"rules\": [{\"type\": \"sales.deal.won\"}]}", "/rules/0/type", ""},
        {"{\"rules\": [{\"type\": {\"pointer\": \"/t\", \"map\": {\"a\": \"depot.x.y\"}}}]}",
         "/rules/0/type", ""},
        {"{\"rules\": [{\"type\": \"depot.thing.told\"}]}", "/rules/0/type", "requires"},
        {"{\"rules\": [{\"type\": \"depot.thing.sold\", \"data\": {\"amount\": \"/m\"}}]}",
         "/rules/0/type", "\"currency\""},
        {"{\"rules\": [{\"if\": {}, \"ignore\": \"x\"}]}", "/rules/0/if", "at least one"},
        {"{\"rules\": [{\"if\": {\"type\": \"a\"}, \"ignore\": \"x\"}]}", "/rules/0/if/type",
         "Pointer"},
        {"{\"rules\": [{\"if\": {\"/a~2\": 1}, \"ignore\": \"x\"}]}", "/rules/0/if/~1a~02",
         "Pointer"},
        {"{\"rules\": [{\"if\": {\"/a\": 1.5}, \"ignore\": \"x\"}]}", "/rules/0/if/~1a", "whole"},
        {"{\"rules\": [{\"if\": {\"/a\": []}, \"ignore\": \"x\"}]}", "/rules/0/if/~1a", "one"},
        {"{\"rules\": [{\"if\": {\"/a\": [[1]]}, \"ignore\": \"x\"}]}", "/rules/0/if/~1a", "0"},
        {"{\"rules\": [{\"if\": {\"/a\": {\"present\": 1}}, \"ignore\": \"x\"}]}",
         "/rules/0/if/~1a", "true or false"},
        {"{\"rules\": [{\"if\": {\"/a\": {\"most\": 1}}, \"ignore\": \"x\"}]}",
         "/rules/0/if/~1a/most", ""},
        {"{\"rules\": [{\"if\": {\"headers\": {}}, \"ignore\": \"x\"}]}", "/rules/0/if/headers",
         "header"},
        {"{\"rules\": [{\"unless\": {\"headers\": {\"X\": 1}}, \"ignore\": \"x\"}]}",
         "/rules/0/unless/headers/X", "text"},
        {"{\"id\": \"id\"}", "/id", "Pointer"},
        {"{\"id\": \"/a~\"}", "/id", "Pointer"},
        {"{\"id\": 7}", "/id", "Pointer"},
        {"{\"id\": {}}", "/id", "one of pointer"},
        {"{\"id\": {\"pointer\": \"/a\", \"header\": \"B\"}}", "/id", "both"},
        {"{\"id\": {\"pointer\": \"/a\", \"lower\": true}}", "/id/lower", ""},
        {"{\"id\": {\"constant\": 7}}", "/id/constant", "string"},
        {"{\"id\": {\"object\": {\"a\": \"/a\"}}}", "/id/object", "no object"},
        {"{\"id\": {\"first\": []}}", "/id/first", "at least"},
        {"{\"id\": {\"first\": [\"/a\", \"b\"]}}", "/id/first/1", "Pointer"},
        {"{\"id\": {\"template\": \"{a}\"}}", "/id/template", ""},
        {"{\"id\": {\"template\": \"{/a\"}}", "/id/template", ""},
        {"{\"id\": {\"header\": \"\"}}", "/id/header", "empty"},
        {"{\"id\": {\"pointer\": \"/a\", \"map\": {}}}", "/id/map", "object"},
        {"{\"id\": {\"pointer\": \"/a\", \"map\": {\"b\": 1}}}", "/id/map/b", "string"},
        {"{\"id\": {\"pointer\": \"/a\", \"upper\": 1}}", "/id/upper", "true or false"},
        {"{\"id\": {\"pointer\": \"/a\", \"scale\": -2}}", "/id/scale", "data"},
        {"{\"id\": {\"pointer\": \"/a\", \"format\": \"unix_s\"}}", "/id/format", "time"},
        {"{\"time\": \"/at\"}", "/time", "format"},
        {"{\"time\": {\"pointer\": \"/at\", \"format\": \"iso\"}}", "/time/format", "unix_s"},
        {"{\"time\": {\"constant\": \"2026-01-08T10:12:07Z\"}}", "/time", "pointer or a header"},
        {"{\"time\": {\"first\": [\"/at\"]}}", "/time/first/0", "format"},
        {"{\"customer\": {}}", "/customer", "one at least"},
        {"{\"customer\": \"/who\"}", "/customer", "object"},
        {"{\"customer\": {\"shoe\": \"/size\"}}", "/customer/shoe", "no identity kind"},
        {"{\"customer\": {\"account\": {\"shoe\": \"/size\"}}}", "/customer/account/shoe",
         "account.shoe"},
        {"{\"customer\": {\"ref\": [\"/a\"]}}", "/customer/ref", "Pointer"},
        {"{\"data\": {\"payload\": \"/a\"}}", "/data/payload", "outside"},
        {"{\"data\": {\"customer\": \"/a\"}}", "/data/customer", "outside"},
        {"{\"data\": [1]}", "/data", "object"},
        {"{\"data\": {\"a\": null}}", "/data/a", "null"},
        {"{\"data\": {\"a\": {\"constant\": null}}}", "/data/a/constant", "null"},
        {"{\"data\": {\"a\": {\"pointer\": \"/a\", \"scale\": \"cents\"}}}", "/data/a/scale",
         "minor_units"},
        {"{\"data\": {\"a\": {\"pointer\": \"/a\", \"scale\": 99}}}", "/data/a/scale", "18"},
        {"{\"data\": {\"a\": {\"list\": [\"/a\"], \"upper\": true}}}", "/data/a", "as they are"},
        {"{\"data\": {\"a\": {\"pointer\": \"/a\", \"scale\": \"minor_units\"}}}", "/rules/0/data",
         "currency"},
        {"{\"data\": {\"a\": {\"list\": [{\"list\": [{\"list\": [{\"list\": [{\"list\": "
         "[{\"list\": "
         "[{\"list\": [{\"list\": [{\"list\": [\"/a\"]}]}]}]}]}]}]}]}]}}}",
         "/data/a/list/0/list/0/list/0/list/0/list/0/list/0/list/0/list/0/list/0", "deeper"},
        {"{\"minor_units\": 2}", "/minor_units", "object"},
        {"{\"minor_units\": {\"XYZ\": 2}}", "/minor_units/XYZ", "ISO 4217"},
        {"{\"minor_units\": {\"ISK\": \"2\"}}", "/minor_units/ISK", "whole"},
        {"{\"each\": \"parcels\"}", "/each", "Pointer"},
        {"{\"payload\": 1}", "/payload", "true or false"},
        {"{\"otherwise\": \"refuse\"}", "/otherwise", "quarantine"},
        {"{\"otherwise\": 1}", "/otherwise", "quarantine"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault fault = {.pointer = ""};
        struct mapping *mapping = NULL;
        json_t *root = source_file(cases[i].members);
        int rc = mapping_new("test", root, depot(), kit.kinds, &mapping, &fault);
        json_decref(root);
        if (rc != ERR_INVALID || strcmp(fault.pointer, cases[i].pointer) != 0 ||
            !strstr(fault.detail, cases[i].detail))
            fail_msg("%s: %d, %s: %s", cases[i].members, rc, fault.pointer, fault.detail);
    }
    static const char *const needed[] = {"id", "time", "customer"};
    for (size_t i = 0; i < 3; i++) {
        struct fault fault = {.pointer = ""};
        struct mapping *mapping = NULL;
        json_t *root = source_file("{}");
        json_object_del(root, needed[i]);
        assert_int_equal(mapping_new("test", root, depot(), kit.kinds, &mapping, &fault),
                         ERR_INVALID);
        assert_string_equal(fault.pointer, "/rules/0");
        assert_non_null(strstr(fault.detail, needed[i]));
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mistakes_are_told_with_their_place)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
