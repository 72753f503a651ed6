-- The log in parts, so that old ones can leave as a whole. `event_log` is all of the log that is in the database: an
-- empty parent, whose children are the open part `stored_events`, into which everything is appended, closed parts before
-- it, and what was kept of the parts that have left. By inheritance, not by PARTITION: a declared partition needs its
-- bounds beforehand and a scan to be attached, and would put its key into the primary key of every part. ADR 40.
CREATE TABLE event_log (
    notification_id    bigint NOT NULL,
    recorded_at        timestamptz NOT NULL,
    originator_id      uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic              text NOT NULL,
    state              bytea NOT NULL
);
-- A statement's triggers are those of the table that it names, so the parent refuses for its children.
CREATE TRIGGER event_log_append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON event_log
    FOR EACH STATEMENT EXECUTE FUNCTION tokenok_refuse_change();
ALTER TABLE stored_events INHERIT event_log;

-- The closed parts. Their ranges follow on one another; the open part begins behind the last.
CREATE TABLE log_parts (
    table_name     text PRIMARY KEY,
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL CHECK (last_position >= first_position),
    closed_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The heads of all streams that had an event in a part that has left: what keeps a version from being stored twice, for
-- ever. A stream with newer events in `event_log` has its head there.
CREATE TABLE archived_heads (
    stream_id      uuid PRIMARY KEY,
    version        bigint NOT NULL,
    ended          boolean NOT NULL,
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL
);

-- Up to where the log has left for the archive; one row.
CREATE TABLE log_archive (
    one            boolean PRIMARY KEY DEFAULT true CHECK (one),
    until_position bigint NOT NULL
);
INSERT INTO log_archive (until_position) VALUES (0);

-- The head of a stream that has no event in the open part: one that begins, or that has slept since a part was closed.
CREATE FUNCTION tokenok_older_head(id uuid) RETURNS bigint LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN coalesce(
        (SELECT tokenok_head(s.originator_version, s.topic) FROM event_log s WHERE s.originator_id = id
         ORDER BY s.originator_version DESC LIMIT 1),
        (SELECT CASE WHEN h.ended THEN -9223372036854775807 ELSE h.version END FROM archived_heads h
         WHERE h.stream_id = id));
END $$;

-- As before, over all parts.
CREATE OR REPLACE FUNCTION tokenok_misfits(ids uuid[], versions bigint[], topics text[], groups int[])
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
                      WHERE s.originator_id = e.id ORDER BY s.originator_version DESC LIMIT 1),
                     tokenok_older_head(e.id), 0) AS head
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

-- As before; a stream that has no event in the open part has its head elsewhere. COALESCE looks there for no other.
CREATE OR REPLACE FUNCTION tokenok_append(
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
        ORDER BY s.originator_version DESC LIMIT 1), tokenok_older_head(e.id), 0))
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

-- The table, indexes and triggers of an open part; `first_position` is the first that it may give.
CREATE FUNCTION tokenok_open_part(first_position bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($ddl$
        CREATE TABLE stored_events (
            notification_id    bigint GENERATED ALWAYS AS IDENTITY (START WITH %s),
            recorded_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (originator_id, originator_version)
        ) INHERITS (event_log) WITH (
            fillfactor = 100,
            autovacuum_vacuum_insert_scale_factor = 0,
            autovacuum_vacuum_insert_threshold = 500000,
            autovacuum_freeze_min_age = 0,
            autovacuum_analyze_scale_factor = 0.05
        )$ddl$, first_position);
    CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id) WITH (fillfactor = 100);
    CREATE INDEX stored_events_control_idx ON stored_events (notification_id) WITH (fillfactor = 100)
        WHERE topic NOT LIKE 'lease.%' AND topic NOT LIKE 'wallet.%' AND topic NOT LIKE 'idempotency.%';
    CREATE TRIGGER stored_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_events
        FOR EACH STATEMENT EXECUTE FUNCTION tokenok_refuse_change();
    CREATE TRIGGER stored_events_open_leases AFTER INSERT ON stored_events FOR EACH ROW
        WHEN (NEW.topic LIKE 'lease.opened.%' OR NEW.topic LIKE 'lease.closed.%' OR NEW.topic LIKE 'lease.fenced.%')
        EXECUTE FUNCTION tokenok_note_open_lease();
END $$;

-- Close the open part and open the next, in the caller's transaction; the last position of what was closed, null when
-- there was nothing. Changes only the catalogue, whatever the size; appends wait for as long, and go on in the new part.
CREATE FUNCTION tokenok_close_part() RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    last  bigint;
    first bigint;
    part  text;
BEGIN
    PERFORM tokenok_lock_log();
    LOCK TABLE stored_events IN ACCESS EXCLUSIVE MODE;
    SELECT max(notification_id) INTO last FROM stored_events;
    IF last IS NULL THEN
        RETURN NULL;
    END IF;
    first := 1 + greatest((SELECT max(p.last_position) FROM log_parts p), (SELECT until_position FROM log_archive));
    part := 'stored_events_' || last;
    EXECUTE format('ALTER TABLE stored_events RENAME TO %I', part);
    EXECUTE format('ALTER INDEX stored_events_pkey RENAME TO %I', part || '_pkey');
    EXECUTE format('ALTER INDEX stored_events_notification_id_idx RENAME TO %I', part || '_notification_id_idx');
    EXECUTE format('ALTER INDEX stored_events_control_idx RENAME TO %I', part || '_control_idx');
    EXECUTE format('ALTER SEQUENCE stored_events_notification_id_seq RENAME TO %I', part || '_notification_id_seq');
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I FOR EACH STATEMENT EXECUTE FUNCTION tokenok_refuse_change()',
        part || '_closed', part);
    INSERT INTO log_parts (table_name, first_position, last_position) VALUES (part, first, last);
    PERFORM tokenok_open_part(last + 1);
    RETURN last;
END $$;
