-- Idempotency keys stay in the database, too: they never end, and a request that repeats an old one must not unpack a file.
CREATE OR REPLACE FUNCTION tokenok_keep(kept text, part text, kept_before text) RETURNS void LANGUAGE plpgsql AS $$
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
                OR (e.topic NOT LIKE 'lease.%%' AND e.topic NOT LIKE 'wallet.%%')
            ORDER BY e.notification_id$copy$, kept, source);
    END LOOP;
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (notification_id) WITH (fillfactor = 100)', kept || '_notification_id_idx', kept);
    EXECUTE format($ddl$CREATE INDEX %I ON %I (notification_id) WITH (fillfactor = 100)
        WHERE topic NOT LIKE 'lease.%%' AND topic NOT LIKE 'wallet.%%' AND topic NOT LIKE 'idempotency.%%'$ddl$,
        kept || '_control_idx', kept);
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION tokenok_refuse_change()', kept || '_append_only', kept);
END $$;
