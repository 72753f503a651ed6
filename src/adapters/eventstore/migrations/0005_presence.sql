-- Gateway processes that announced themselves. Operational, not part of the log: rows of the dead are dropped.
CREATE TABLE gateway_processes (
    instance_id uuid PRIMARY KEY,
    epoch bigint NOT NULL,
    lock_key bigint NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
