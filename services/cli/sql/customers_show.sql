SELECT c.customer_id, c.kind, c.name, c.account_id, c.events,
       to_char(c.last_touch, 'YYYY-MM-DD HH24:MI') AS last_touch,
       array_to_string(c.departments, ', ') AS departments,
       (SELECT string_agg(v.key || ' ' || v.value, ', ' ORDER BY v.key)
        FROM jsonb_each_text(c.lifetime_value) v) AS lifetime_value,
       (SELECT string_agg(i.kind || '=' || i.value, E'\n' ORDER BY i.kind, i.value)
        FROM throughline.identities i WHERE i.customer_id = c.customer_id) AS known_by,
       row_to_json((SELECT r FROM (
           SELECT c.*, (SELECT json_agg(json_build_object('kind', i.kind, 'value', i.value)
                                        ORDER BY i.kind, i.value)
                        FROM throughline.identities i
                        WHERE i.customer_id = c.customer_id) AS identities) r)) AS json
FROM unnest($1::bigint[]) WITH ORDINALITY AS u (customer_id, place)
JOIN throughline.customers c ON c.customer_id = u.customer_id
ORDER BY u.place
