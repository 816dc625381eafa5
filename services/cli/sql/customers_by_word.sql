SELECT f.customer_id FROM throughline.find_customers($1, $2::integer) AS f (customer_id)
