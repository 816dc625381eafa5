-- $1 a moment within the month
SELECT store.make_month($1::timestamptz)
