-- Requests and answers of accounts that have body logging switched on. Not part of the log: encrypted with the account's
-- key (`subject_keys`), one partition for each day, dropped as a whole when its time is over. ADR 42.
CREATE TABLE request_bodies (
    day        date NOT NULL,  -- UTC, of the keeping
    request_id uuid NOT NULL,
    account_id uuid NOT NULL,
    key_id     uuid NOT NULL,  -- of the account's key
    ciphertext bytea NOT NULL,
    PRIMARY KEY (request_id, day)
) PARTITION BY RANGE (day);
CREATE INDEX request_bodies_account_idx ON request_bodies (account_id);

CREATE FUNCTION tokenok_keep_body(request uuid, account uuid, key uuid, sealed bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    today     date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    partition text := 'request_bodies_' || to_char(today, 'YYYYMMDD');
BEGIN
    IF to_regclass(partition) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('tokenok.request_bodies', 0));
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF request_bodies FOR VALUES FROM (%L) TO (%L)',
            partition, today, today + 1);
    END IF;
    INSERT INTO request_bodies (day, request_id, account_id, key_id, ciphertext)
    VALUES (today, request, account, key, sealed) ON CONFLICT DO NOTHING;
END $$;

-- Drop the days before the last `days`, today included among these; how many were dropped.
CREATE FUNCTION tokenok_drop_bodies(days integer) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    oldest    text := 'request_bodies_' || to_char((clock_timestamp() AT TIME ZONE 'UTC')::date - days, 'YYYYMMDD');
    partition text;
    dropped   integer := 0;
BEGIN
    FOR partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'request_bodies'::regclass AND c.relname <= oldest ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
