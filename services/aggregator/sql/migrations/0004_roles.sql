-- Who may do what. Roles without login, for the cluster: another database of it, or another
-- migration at this moment, may have made them already.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['throughline_analyst', 'throughline_analyst_pii', 'throughline_writer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- somebody else was quicker
            END;
        END IF;
    END LOOP;
    -- Who reads personal data may everything an analyst may. Who owns the tables can read them
    -- anyway, so the views need hide nothing from them.
    FOREACH wanted IN ARRAY ARRAY['throughline_analyst_pii', current_user::text] LOOP
        BEGIN
            IF wanted = 'throughline_analyst_pii' THEN
                IF NOT pg_has_role(wanted, 'throughline_analyst', 'member') THEN
                    GRANT throughline_analyst TO throughline_analyst_pii;
                END IF;
            ELSIF NOT pg_has_role(wanted, 'throughline_analyst_pii', 'member') THEN
                EXECUTE format('GRANT throughline_analyst_pii TO %I', wanted);
            END IF;
        EXCEPTION
            WHEN unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                -- From PostgreSQL 16 on, only who made a role may grant it.
                RAISE WARNING 'a superuser has to run: GRANT throughline_analyst TO throughline_analyst_pii; GRANT throughline_analyst_pii TO %', quote_ident(current_user);
        END;
    END LOOP;
END
$$;

-- Nobody runs what they were not given.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA store FROM PUBLIC;
REVOKE ALL ON FUNCTION throughline.find_customers(text, integer) FROM PUBLIC;

-- Analysts: the views, and what the views and timeline_of call.
GRANT USAGE ON SCHEMA throughline TO throughline_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA throughline TO throughline_analyst;
GRANT EXECUTE ON FUNCTION store.survivor_of(bigint) TO throughline_analyst;
GRANT EXECUTE ON FUNCTION store.timeline_keys(bigint, timestamptz, uuid, integer) TO throughline_analyst;
GRANT EXECUTE ON FUNCTION throughline.find_customers(text, integer) TO throughline_analyst_pii;

-- The aggregator. It adds to the timeline and never changes or deletes there. To end a
-- predecessor's backend it needs no right: every role may end its own, and all aggregators log in
-- as the same one.
GRANT USAGE ON SCHEMA store TO throughline_writer;
GRANT SELECT, INSERT ON store.events, store.attached_identities, store.merges TO throughline_writer;
GRANT SELECT, INSERT, UPDATE ON store.consumer_offsets, store.customers, store.identities,
    store.quarantine TO throughline_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON store.event_types TO throughline_writer;
GRANT SELECT, UPDATE ON store.epoch TO throughline_writer; -- FOR SHARE wants UPDATE
GRANT SELECT ON store.migrations TO throughline_writer;
GRANT USAGE ON SEQUENCE store.customers_customer_id_seq TO throughline_writer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA store TO throughline_writer;
