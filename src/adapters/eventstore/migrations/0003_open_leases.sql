-- Leases that have not ended, so that a reaper need not read the log: derived from it in the transaction of each append,
-- whoever appends. Small, and without meaning for any figure; `position` is that of `lease.opened`.
CREATE TABLE open_leases (
    lease_id uuid PRIMARY KEY,
    position bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX open_leases_position_idx ON open_leases (position);

CREATE FUNCTION tokenok_note_open_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.topic LIKE 'lease.opened.%' THEN
        INSERT INTO open_leases VALUES (NEW.originator_id, NEW.notification_id) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM open_leases WHERE lease_id = NEW.originator_id;
    END IF;
    RETURN NULL;
END $$;

-- The condition is judged before anything is queued: an event of a request costs a comparison, not a call.
CREATE TRIGGER stored_events_open_leases AFTER INSERT ON stored_events FOR EACH ROW
    WHEN (NEW.topic LIKE 'lease.opened.%' OR NEW.topic LIKE 'lease.closed.%' OR NEW.topic LIKE 'lease.fenced.%')
    EXECUTE FUNCTION tokenok_note_open_lease();

-- What is open already. Making the trigger took a lock that keeps writers out until this is committed.
INSERT INTO open_leases
SELECT opened.originator_id, min(opened.notification_id) FROM stored_events opened
WHERE opened.topic LIKE 'lease.opened.%' AND NOT EXISTS (
    SELECT FROM stored_events ended WHERE ended.originator_id = opened.originator_id
        AND (ended.topic LIKE 'lease.closed.%' OR ended.topic LIKE 'lease.fenced.%'))
GROUP BY opened.originator_id;
