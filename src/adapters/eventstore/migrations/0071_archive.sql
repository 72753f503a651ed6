-- How a closed part of the log leaves for the archive: by a check, a copy of what must stay, and the drop of a table. No
-- row is deleted anywhere, and a part of which one event is not in a segment stays. ADR 41.

-- The segments that are written: what a reader of the archive goes by. A file without its row does not count.
CREATE TABLE archive_segments (
    last_position  bigint PRIMARY KEY,
    first_position bigint NOT NULL UNIQUE CHECK (first_position <= last_position),
    events         bigint NOT NULL CHECK (events > 0),
    manifest       bytea NOT NULL,  -- as it is in the archive, to the byte
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER archive_segments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive_segments
    FOR EACH STATEMENT EXECUTE FUNCTION tokenok_refuse_change();

ALTER TABLE log_archive ADD COLUMN kept_table text;

-- Fill a new table with what must stay of `part` and of what was kept before: whatever processes read at their start and
-- operators change (control topics), the leases that have not ended, and wallets from their snapshots on. The rest can
-- still be read, from the archive.
CREATE FUNCTION tokenok_keep(kept text, part text, kept_before text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    source text;
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE event_log, PRIMARY KEY (originator_id, originator_version)) WITH (fillfactor = 100)', kept);
    FOREACH source IN ARRAY array_remove(ARRAY[kept_before, part], NULL) LOOP
        EXECUTE format($copy$
            INSERT INTO %I
            SELECT e.notification_id, e.recorded_at, e.originator_id, e.originator_version, e.topic, e.state
            FROM %I e
            LEFT JOIN open_leases o ON o.lease_id = e.originator_id
            LEFT JOIN snapshots s ON s.stream_id = e.originator_id AND e.topic LIKE 'wallet.%%'
            WHERE o.lease_id IS NOT NULL OR e.originator_version >= s.version
                OR (e.topic NOT LIKE 'lease.%%' AND e.topic NOT LIKE 'wallet.%%' AND e.topic NOT LIKE 'idempotency.%%')
            ORDER BY e.notification_id$copy$, kept, source);
    END LOOP;
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (notification_id) WITH (fillfactor = 100)', kept || '_notification_id_idx', kept);
    EXECUTE format($ddl$CREATE INDEX %I ON %I (notification_id) WITH (fillfactor = 100)
        WHERE topic NOT LIKE 'lease.%%' AND topic NOT LIKE 'wallet.%%' AND topic NOT LIKE 'idempotency.%%'$ddl$,
        kept || '_control_idx', kept);
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION tokenok_refuse_change()', kept || '_append_only', kept);
END $$;

-- Let the oldest closed part go, in the caller's transaction; up to which position the log has left then. The caller has
-- compared the segments with the part. What can be checked here is checked again: that the segments follow on one another
-- from the first position to the last and count as many events as the part has, and that the part has been closed for
-- `rested`, longer than any append in doubt looks for its events.
CREATE FUNCTION tokenok_detach_part(part text, rested interval) RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    bounds   log_parts;
    archive  log_archive;
    segments record;
    events   bigint;
    kept     text;
BEGIN
    SELECT * INTO archive FROM log_archive FOR UPDATE;
    SELECT * INTO bounds FROM log_parts WHERE table_name = part;
    IF bounds.first_position IS DISTINCT FROM archive.until_position + 1 THEN
        RAISE EXCEPTION '% is not the oldest closed part', part USING ERRCODE = 'restrict_violation';
    END IF;
    IF bounds.closed_at + rested > clock_timestamp() THEN
        RAISE EXCEPTION '% was closed less than % ago', part, rested USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT sum(s.events) AS events, max(s.last_position) AS last_position, bool_and(s.follows) AS follow INTO segments
    FROM (SELECT a.events, a.last_position,
            a.first_position = 1 + lag(a.last_position, 1, archive.until_position) OVER (ORDER BY a.last_position) AS follows
          FROM archive_segments a
          WHERE a.last_position > archive.until_position AND a.last_position <= bounds.last_position) s;
    EXECUTE format('SELECT count(*) FROM %I', part) INTO events;
    IF NOT coalesce(segments.follow AND segments.last_position = bounds.last_position AND segments.events = events, false) THEN
        RAISE EXCEPTION '% is not in the archive as a whole', part USING ERRCODE = 'restrict_violation';
    END IF;

    kept := 'kept_events_' || bounds.last_position;
    PERFORM tokenok_keep(kept, part, archive.kept_table);
    EXECUTE format($heads$
        INSERT INTO archived_heads (stream_id, version, ended, first_position, last_position)
        SELECT originator_id, max(originator_version), bool_or(tokenok_head(0, topic) < 0),
            min(notification_id), max(notification_id)
        FROM %I GROUP BY originator_id
        ON CONFLICT (stream_id) DO UPDATE
        SET version = excluded.version, ended = excluded.ended, last_position = excluded.last_position$heads$, part);

    -- From here on everyone waits, for changes of the catalogue only. Readers look up the children once they have the
    -- parent's lock.
    PERFORM tokenok_lock_log();
    LOCK TABLE ONLY event_log IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('DROP TABLE %I', part);
    IF archive.kept_table IS NOT NULL THEN
        EXECUTE format('DROP TABLE %I', archive.kept_table);
    END IF;
    EXECUTE format('ALTER TABLE %I INHERIT event_log', kept);
    DELETE FROM log_parts WHERE table_name = part;
    UPDATE log_archive SET until_position = bounds.last_position, kept_table = kept;
    RETURN bounds.last_position;
END $$;

-- As before, and under the parent's lock: readers look up the children once they have it, so none goes by a list from
-- before the new part.
CREATE OR REPLACE FUNCTION tokenok_close_part() RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    last  bigint;
    first bigint;
    part  text;
BEGIN
    PERFORM tokenok_lock_log();
    LOCK TABLE ONLY event_log IN ACCESS EXCLUSIVE MODE;
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
