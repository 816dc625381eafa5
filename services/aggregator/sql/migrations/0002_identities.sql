-- Identities to customers: finds, makes, attaches and ties, for a whole batch at once.
--
-- `components` numbers the groups that the batch's events tie together: identities of one
-- component belong to one customer. A component of one identity ties nothing and locks nothing.
-- For the others the customers concerned are locked in ascending order. What is new is put in, and
-- only then is looked again, in a new statement: whoever is concerned by now must be locked or new,
-- for another writer may have put in or moved identities at any moment before. If not, the locks
-- are given back and the new set is locked. Who is new in a component that has a customer is attached to it; where it has
-- several, the lowest id absorbs the others, with a row in the ledger. Within one transaction this
-- is called once, so customers are locked before any identity is put in.
CREATE FUNCTION store.resolve_identities(kinds text[], vals text[], components integer[],
                                         records text[])
RETURNS TABLE (ordinal integer, identity_id bigint, customer_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    tying integer[];    -- components of more than one identity
    concerned bigint[]; -- their customers, ascending
    fresh bigint[];     -- customers made here: nobody else knows them yet
BEGIN
    SELECT array_agg(component) INTO tying
    FROM (SELECT component FROM unnest(components) AS u (component) GROUP BY component HAVING count(*) > 1) t;

    FOR attempt IN 1 .. 50 LOOP
        BEGIN
            IF tying IS NOT NULL THEN
                concerned := store.customers_concerned(kinds, vals, components, tying);
                PERFORM 1 FROM store.customers c WHERE c.customer_id = ANY (concerned)
                ORDER BY c.customer_id FOR UPDATE;
            END IF;

            -- New identities: of their component's customer, or of a new one.
            WITH asked AS (
                SELECT u.kind, u.value, u.component, u.record, i.customer_id
                FROM unnest(kinds, vals, components, records) AS u (kind, value, component, record)
                LEFT JOIN store.identities i ON i.kind = u.kind AND i.value = u.value
            ), target AS (
                SELECT component, coalesce(min(customer_id), nextval('store.customers_customer_id_seq')) AS customer_id,
                       count(customer_id) = 0 AS is_fresh
                FROM asked GROUP BY component HAVING count(*) > count(customer_id)
            ), put AS (
                INSERT INTO store.identities (kind, value, customer_id, record)
                SELECT a.kind, a.value, t.customer_id, a.record
                FROM asked a JOIN target t ON t.component = a.component
                WHERE a.customer_id IS NULL
                ORDER BY a.kind, a.value
                ON CONFLICT (kind, value) DO NOTHING
                RETURNING kind, value, customer_id
            ), made AS (
                INSERT INTO store.customers (customer_id, kind)
                SELECT DISTINCT p.customer_id, CASE WHEN p.kind LIKE 'account.%' THEN 'account' ELSE 'person' END
                FROM put p
                ON CONFLICT (customer_id) DO NOTHING -- attached to one that exists
            )
            SELECT array_agg(t.customer_id) INTO fresh FROM target t WHERE t.is_fresh;

            IF tying IS NOT NULL AND EXISTS (
                SELECT unnest(store.customers_concerned(kinds, vals, components, tying))
                EXCEPT SELECT unnest(concerned || fresh)) THEN
                RAISE EXCEPTION 'another writer came in between' USING ERRCODE = 'TL002';
            END IF;

            IF cardinality(concerned) > 1 THEN
                PERFORM store.merge_components(kinds, vals, components, tying, records);
            END IF;

            RETURN QUERY
                SELECT u.ordinal::integer, i.identity_id, i.customer_id
                FROM unnest(kinds, vals) WITH ORDINALITY AS u (kind, value, ordinal)
                JOIN store.identities i ON i.kind = u.kind AND i.value = u.value;
            RETURN;
        EXCEPTION WHEN SQLSTATE 'TL002' THEN
            NULL; -- the savepoint gave the locks back; look again
        END;
    END LOOP;
    RAISE EXCEPTION 'identities did not come to rest' USING ERRCODE = '40001';
END
$$;

CREATE FUNCTION store.customers_concerned(kinds text[], vals text[], components integer[], tying integer[])
RETURNS bigint[]
LANGUAGE sql VOLATILE AS $$ -- volatile: each call looks anew
    SELECT array_agg(DISTINCT i.customer_id ORDER BY i.customer_id)
    FROM unnest(kinds, vals, components) AS u (kind, value, component)
    JOIN store.identities i ON i.kind = u.kind AND i.value = u.value
    WHERE u.component = ANY (tying)
$$;

-- Ties customers together where a component has several; their rows are locked by the caller.
-- One component after the other, each looked up anew: two of them may concern the same customer.
CREATE FUNCTION store.merge_components(kinds text[], vals text[], components integer[],
                                       tying integer[], records text[]) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    current_component integer;
    tied bigint[]; -- ascending: the first survives
    evidence jsonb;
BEGIN
    FOR current_component IN
        SELECT u.component
        FROM unnest(kinds, vals, components) AS u (kind, value, component)
        JOIN store.identities i ON i.kind = u.kind AND i.value = u.value
        WHERE u.component = ANY (tying)
        GROUP BY u.component HAVING count(DISTINCT i.customer_id) > 1
        ORDER BY u.component
    LOOP
        SELECT array_agg(DISTINCT i.customer_id ORDER BY i.customer_id),
               jsonb_build_object(
                   'identities', jsonb_agg(u.kind || '=' || u.value ORDER BY u.kind, u.value),
                   'records', to_jsonb(array_agg(DISTINCT u.record)))
        INTO tied, evidence
        FROM unnest(kinds, vals, components, records) AS u (kind, value, component, record)
        JOIN store.identities i ON i.kind = u.kind AND i.value = u.value
        WHERE u.component = current_component;
        INSERT INTO store.merges (survivor, absorbed, evidence, identity_ids)
        SELECT tied[1], a.customer_id, evidence,
               (SELECT array_agg(i.identity_id ORDER BY i.identity_id)
                FROM store.identities i WHERE i.customer_id = a.customer_id)
        FROM unnest(tied[2:]) AS a (customer_id);
        UPDATE store.customers SET merged_into = tied[1] WHERE customer_id = ANY (tied[2:]);
        UPDATE store.identities SET customer_id = tied[1] WHERE customer_id = ANY (tied[2:]);
    END LOOP;
END
$$;

-- Weak identities of a customer, by way of the identity they came with. Sorted, so that two
-- writers never wait for each other.
CREATE FUNCTION store.attach_identities(anchors bigint[], kinds text[], vals text[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO store.attached_identities (identity_id, kind, value)
    SELECT DISTINCT u.anchor, u.kind, u.value
    FROM unnest(anchors, kinds, vals) AS u (anchor, kind, value)
    ORDER BY u.anchor, u.kind, u.value
    ON CONFLICT DO NOTHING
$$;
