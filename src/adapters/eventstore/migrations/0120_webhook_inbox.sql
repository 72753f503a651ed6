-- Messages of payment providers that wait to be handled. What became of one stands in the log; this is the queue, and for
-- a while the bytes as they came, sealed with a key of `subject_keys`.
CREATE TABLE webhook_inbox (
    provider    text NOT NULL,
    event_ref   text NOT NULL,
    kind        text NOT NULL,
    object_ref  text NOT NULL,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'handled', 'parked')),
    reason      text NOT NULL DEFAULT '',
    order_id    uuid,
    attempts    integer NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    key_id      uuid NOT NULL,
    ciphertext  bytea,
    PRIMARY KEY (provider, event_ref)
);
CREATE INDEX webhook_inbox_due_idx ON webhook_inbox (next_at) WHERE state = 'waiting';
CREATE INDEX webhook_inbox_received_idx ON webhook_inbox (received_at);
