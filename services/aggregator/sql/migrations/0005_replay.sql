-- Reading on elsewhere, by hand: `throughline replay`.

-- A record that is read a second time counts a second time: as a duplicate, void, or, should its row
-- be gone, on the timeline again. So the books are: next_offset - first_offset + read_again =
-- on_timeline + duplicates + quarantined + void. What was passed over is part of void, and is
-- counted beside it, since somebody decided to do without those records.
ALTER TABLE store.consumer_offsets
    ADD COLUMN read_again bigint NOT NULL DEFAULT 0,
    ADD COLUMN skipped bigint NOT NULL DEFAULT 0,
    ADD COLUMN stopped text; -- why the partition is not read any further; NULL: it is

-- Every such decision, and why.
CREATE TABLE store.replays (
    replay_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    from_offset bigint NOT NULL, -- what would have been read next
    to_offset bigint NOT NULL,   -- what is read next
    decided_at timestamptz NOT NULL DEFAULT now(),
    decided_by text NOT NULL DEFAULT session_user,
    note text
);

-- One Kafka record waits once, however often it is read; a topic that was made anew has other
-- records at the same offsets.
ALTER TABLE store.quarantine DROP CONSTRAINT quarantine_topic_partition_kafka_offset_key;
CREATE UNIQUE INDEX quarantine_record ON store.quarantine
    (topic, partition, kafka_offset, md5(coalesce(key, '') || '\x00'::bytea || coalesce(value, '')));

-- As before, but a partition that was never read is taken over only where its beginning is known
-- (low_watermark -1: it is not), and taking over takes a stop away: it is tried anew.
CREATE OR REPLACE FUNCTION store.take_over(a_topic text, a_partition integer, low_watermark bigint,
                                           lock_timeout_ms bigint, OUT generation bigint, OUT next_offset bigint)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lock_timeout', lock_timeout_ms::text, true);
    IF low_watermark >= 0 THEN
        INSERT INTO store.consumer_offsets (topic, partition, first_offset, next_offset)
        VALUES (a_topic, a_partition, low_watermark, low_watermark)
        ON CONFLICT DO NOTHING;
    END IF;
    UPDATE store.consumer_offsets o
    SET generation = o.generation + 1,
        backend_pid = pg_backend_pid(),
        backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()),
        stopped = NULL,
        updated_at = now()
    WHERE o.topic = a_topic AND o.partition = a_partition
    RETURNING o.generation, o.next_offset INTO take_over.generation, take_over.next_offset;
END
$$;

-- Remembers why a partition is not read any further, where the generation still holds.
CREATE FUNCTION store.mark_stopped(a_topic text, a_partition integer, a_generation bigint, reason text)
RETURNS void
LANGUAGE sql AS $$
    UPDATE store.consumer_offsets o SET stopped = reason
    WHERE o.topic = a_topic AND o.partition = a_partition AND o.generation = a_generation
$$;

-- Sends the reading of a partition to `target`. Generation + 1: a writer at work loses its fence, and
-- takes over again at the new place. Waits at most lock_timeout_ms for its batch (then 55P03). A
-- decision that leaves records out wants a note. No row: the partition was never read.
CREATE FUNCTION store.replay_from(a_topic text, a_partition integer, target bigint, a_note text,
                                  lock_timeout_ms bigint, OUT was bigint, OUT skipped bigint)
RETURNS SETOF record
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lock_timeout', lock_timeout_ms::text, true);
    SELECT o.next_offset INTO was FROM store.consumer_offsets o
    WHERE o.topic = a_topic AND o.partition = a_partition FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    skipped := greatest(target - was, 0);
    IF skipped > 0 AND coalesce(a_note, '') = '' THEN
        RAISE EXCEPTION 'leaving % records of %/% out wants a note', skipped, a_topic, a_partition
            USING ERRCODE = '22023';
    END IF;
    UPDATE store.consumer_offsets o
    SET next_offset = target,
        generation = o.generation + 1,
        read_again = o.read_again + greatest(was - target, 0),
        skipped = o.skipped + replay_from.skipped,
        void = o.void + replay_from.skipped,
        updated_at = now()
    WHERE o.topic = a_topic AND o.partition = a_partition;
    INSERT INTO store.replays (topic, partition, from_offset, to_offset, note)
    VALUES (a_topic, a_partition, was, target, a_note);
    RETURN NEXT;
END
$$;

-- replay_from leaves `stopped` as it is until a writer takes over there.
CREATE OR REPLACE VIEW throughline.reconciliation AS
SELECT b.topic,
       b.partition,
       b.records,
       b.on_timeline,
       b.duplicates,
       b.quarantined,
       b.void,
       b.records - b.on_timeline - b.duplicates - b.quarantined - b.void AS difference
FROM (
    SELECT coalesce(o.topic, r.topic) AS topic,
           coalesce(o.partition, r.partition) AS partition,
           coalesce(o.next_offset - o.first_offset + o.read_again, 0) AS records,
           coalesce(r.on_timeline, 0) AS on_timeline,
           coalesce(o.duplicates, 0) AS duplicates,
           coalesce(r.quarantined, 0) AS quarantined,
           coalesce(o.void, 0) AS void
    FROM store.consumer_offsets o
    FULL JOIN (
        SELECT u.topic, u.partition,
               sum(u.on_timeline)::bigint AS on_timeline, sum(u.quarantined)::bigint AS quarantined
        FROM (
            SELECT e.topic, e.partition, count(*) AS on_timeline, 0 AS quarantined
            FROM store.events e GROUP BY e.topic, e.partition
            UNION ALL
            SELECT q.topic, q.partition, 0, count(*)
            FROM store.quarantine q WHERE q.state <> 'replayed' GROUP BY q.topic, q.partition
        ) u
        GROUP BY u.topic, u.partition
    ) r ON r.topic = o.topic AND r.partition = o.partition
) b;
COMMENT ON COLUMN throughline.reconciliation.records IS 'Records that the aggregator has passed; one that was read again counts again.';
COMMENT ON COLUMN throughline.reconciliation.void IS 'Offsets that hold no record for us: gaps, control records, and those left out by throughline replay.';

REVOKE ALL ON FUNCTION store.mark_stopped(text, integer, bigint, text),
    store.replay_from(text, integer, bigint, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.mark_stopped(text, integer, bigint, text),
    store.replay_from(text, integer, bigint, text, bigint) TO throughline_writer;
GRANT INSERT, SELECT ON store.replays TO throughline_writer;
