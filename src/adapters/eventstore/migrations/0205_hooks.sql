-- Messages to customers' endpoints. `hook_cursor` is how far the log was read; what was read up to there is in the two
-- tables below it, in the same transaction. What an endpoint is stands in the log; a row is its fold as of the cursor.
CREATE TABLE hook_cursor (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
);
-- What happened before there were endpoints is told to nobody, so the cursor begins at the log's end.
INSERT INTO hook_cursor (position) SELECT coalesce(max(notification_id), 0) FROM stored_events;

CREATE TABLE hook_endpoints (
    endpoint_id  uuid PRIMARY KEY,
    account_id   uuid NOT NULL,
    state        text NOT NULL,
    endpoint     text NOT NULL,
    delivered_at timestamptz,
    failed_at    timestamptz
);
CREATE INDEX hook_endpoints_account_idx ON hook_endpoints (account_id);

CREATE TABLE hook_messages (
    endpoint_id  uuid NOT NULL,
    message_id   text NOT NULL,
    position     bigint NOT NULL,
    kind         text NOT NULL,
    body         bytea NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'abandoned')),
    tries        integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    delivered_at timestamptz,
    PRIMARY KEY (endpoint_id, message_id)
);
-- Each endpoint's earliest is found at once, however many wait behind it.
CREATE INDEX hook_messages_due_idx ON hook_messages (endpoint_id, next_at) WHERE state = 'waiting';
CREATE INDEX hook_messages_made_idx ON hook_messages (made_at);

CREATE TABLE hook_attempts (
    endpoint_id uuid NOT NULL,
    message_id  text NOT NULL,
    number      integer NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    status      integer NOT NULL,
    error       text NOT NULL,
    duration_ms integer NOT NULL,
    PRIMARY KEY (endpoint_id, message_id, number),
    FOREIGN KEY (endpoint_id, message_id) REFERENCES hook_messages ON DELETE CASCADE
);
