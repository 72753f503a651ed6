-- The event log: one append-only table, its order, and the only function that appends to it.
-- Runs on Postgres 15 and later with no extension. The columns are those of the `eventsourcing` library's
-- application recorder, so its readers work; its own DDL is never run.

CREATE TABLE stored_events (
    notification_id    bigint GENERATED ALWAYS AS IDENTITY,
    recorded_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    originator_id      uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic              text NOT NULL,
    state              bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    -- Rows are never updated: pages are filled to the brim.
    fillfactor = 100,
    -- There are no dead rows to wait for, only new pages to mark all-visible and to freeze. Without these two a
    -- large table waits for 20 % growth, then for one long anti-wraparound pass over everything.
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 500000,
    autovacuum_freeze_min_age = 0,
    autovacuum_analyze_scale_factor = 0.05
);

-- Positions only grow, so its pages are never split in the middle.
CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id) WITH (fillfactor = 100);

-- What followers of keys, prices and accounts read: the log without the high-rate lease events.
CREATE INDEX stored_events_control_idx ON stored_events (notification_id) WITH (fillfactor = 100)
    WHERE topic NOT LIKE 'lease.%';

CREATE FUNCTION tokenok_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: correct by a new event' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER stored_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION tokenok_refuse_change();

-- Snapshots are caches: dropping all of them changes no answer.
CREATE TABLE snapshots (
    stream_id uuid PRIMARY KEY,
    version   bigint NOT NULL,
    state     bytea NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The lock that makes positions grow in commit order: held from before the first position is drawn until the commit
-- is visible. It is advisory, so VACUUM never waits for it nor it for VACUUM. Released by commit or rollback only.
CREATE FUNCTION tokenok_lock_log() RETURNS void LANGUAGE sql VOLATILE AS
    'SELECT pg_advisory_xact_lock(32773604352356203)';

-- What the version after this event counts from: this one's, or nothing can, because the event ended its stream. So a
-- fence holds against any owner, also against one that does not know yet and counts on past it.
CREATE FUNCTION tokenok_head(version bigint, topic text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN topic LIKE ''lease.closed.%'' OR topic LIKE ''lease.fenced.%''
            THEN -9223372036854775807 ELSE version END';

-- The slow path of tokenok_append: of each group that does not fit, the number of its first event that does not.
-- A group fits when each stream in it goes on exactly at its head, the fitting groups before it included. After a
-- group that does not fit, nothing of the batch that touches one of its streams fits: an owner that queued v1, v2, v3
-- and lost v1 to another writer must not get v2 stored behind it. The lock is held.
CREATE FUNCTION tokenok_misfits(ids uuid[], versions bigint[], topics text[], groups int[])
RETURNS int[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    stream_nos int[];  -- of each event
    heads      bigint[];  -- of each stream; null once nothing may follow in this batch
    tentative  bigint[];
    misfits    int[] := '{}';
    misfit     int;
    event_no   int := 1;
    first_no   int;
BEGIN
    WITH event AS (
        SELECT u.id, u.no FROM unnest(ids) WITH ORDINALITY AS u (id, no)
    ), stream AS (
        SELECT e.id, row_number() OVER (ORDER BY min(e.no)) AS no,
            coalesce((SELECT tokenok_head(s.originator_version, s.topic) FROM stored_events s
                      WHERE s.originator_id = e.id ORDER BY s.originator_version DESC LIMIT 1), 0) AS head
        FROM event e GROUP BY e.id
    )
    SELECT array_agg(s.no ORDER BY e.no), (SELECT array_agg(head ORDER BY no) FROM stream)
    INTO stream_nos, heads
    FROM event e JOIN stream s ON s.id = e.id;

    WHILE event_no <= cardinality(ids) LOOP
        first_no := event_no;
        tentative := heads;
        misfit := NULL;
        WHILE groups[event_no] = groups[first_no] LOOP
            IF misfit IS NULL AND tentative[stream_nos[event_no]] IS DISTINCT FROM versions[event_no] - 1 THEN
                misfit := event_no;
            END IF;
            tentative[stream_nos[event_no]] := tokenok_head(versions[event_no], topics[event_no]);
            event_no := event_no + 1;
        END LOOP;
        IF misfit IS NULL THEN
            heads := tentative;
        ELSE
            misfits := misfits || misfit;
            FOR nth IN first_no .. event_no - 1 LOOP
                heads[stream_nos[nth]] := NULL;
            END LOOP;
        END IF;
    END LOOP;
    RETURN misfits;
END $$;

-- Append a batch of groups in one transaction and one round trip. Arrays run in parallel, one element an event;
-- `groups` numbers the groups and rises. A group is stored whole or not at all; one that does not fit (see above) does
-- not fail its neighbours. Returns the position of the first stored event (null if none was stored); the others follow
-- without a gap in the order given; and the misfits (null if there are none).
--
-- Every statement of a VOLATILE function sees what was committed before it began: the lock comes first, on its own.
-- The plans are generic because the custom plans for short arrays look cheaper and are then planned at every call:
-- seen 209 against 105 us a call.
CREATE FUNCTION tokenok_append(
    ids uuid[], versions bigint[], topics text[], states bytea[], groups int[],
    OUT first_position bigint, OUT misfits int[]
) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan SET lock_timeout = '3s' AS $$
DECLARE
    all_fit       boolean;
    refused       int[];  -- group numbers
    last_position bigint;
    stored        bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(32773604352356203);
    -- An acknowledged event has reached the disk, whatever the caller's session says.
    IF current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    SELECT bool_and(e.version - 1 = coalesce(e.head, (
        SELECT tokenok_head(s.originator_version, s.topic) FROM stored_events s WHERE s.originator_id = e.id
        ORDER BY s.originator_version DESC LIMIT 1), 0))
    INTO all_fit
    FROM (SELECT u.id, u.version, lag(tokenok_head(u.version, u.topic)) OVER (PARTITION BY u.id ORDER BY u.no) AS head
          FROM unnest(ids, versions, topics) WITH ORDINALITY AS u (id, version, topic, no)) e;

    IF NOT all_fit THEN
        misfits := tokenok_misfits(ids, versions, topics, groups);
        refused := ARRAY(SELECT groups[event_no] FROM unnest(misfits) AS event_no);
    END IF;

    WITH inserted AS (
        INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT u.id, u.version, u.topic, u.state
        FROM unnest(ids, versions, topics, states, groups)
            WITH ORDINALITY AS u (id, version, topic, state, group_no, no)
        WHERE refused IS NULL OR u.group_no <> ALL (refused)
        ORDER BY u.no
        RETURNING notification_id
    )
    SELECT min(notification_id), max(notification_id), count(*) INTO first_position, last_position, stored FROM inserted;

    IF last_position - first_position + 1 <> stored THEN
        RAISE EXCEPTION 'positions were drawn outside the lock';
    END IF;
END $$;
