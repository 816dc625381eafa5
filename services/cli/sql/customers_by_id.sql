-- An absorbed customer's id stands for its survivor.
WITH RECURSIVE chain (customer_id, steps) AS (
    SELECT $1::bigint, 0
    UNION ALL
    SELECT m.survivor, chain.steps + 1
    FROM chain JOIN throughline.merges m ON m.absorbed = chain.customer_id AND m.undone_at IS NULL
    WHERE chain.steps < 1000
)
SELECT c.customer_id FROM chain JOIN throughline.customers c ON c.customer_id = chain.customer_id
