-- What followers of keys, prices and accounts read: the log without what requests and leases write. The index before
-- this one still had the wallets, which near zero get several events a request; a start would read all of them.
DROP INDEX stored_events_control_idx;
CREATE INDEX stored_events_control_idx ON stored_events (notification_id) WITH (fillfactor = 100)
    WHERE topic NOT LIKE 'lease.%' AND topic NOT LIKE 'wallet.%' AND topic NOT LIKE 'idempotency.%';
