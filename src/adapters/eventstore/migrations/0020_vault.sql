-- What stands beside the log because it must be readable back, changeable or erasable: sealed secrets, names, and the
-- answers to repeated requests. Nothing here is needed to re-derive a figure.

-- The secrets of credentials, sealed with AES-256-GCM. The key id also stands, authenticated, inside `sealed`; the
-- column only finds the rows that a rotation of the master key has yet to do.
CREATE TABLE credential_secrets (
    credential_id  uuid NOT NULL,
    secret_version integer NOT NULL CHECK (secret_version > 0),
    provider_id    uuid NOT NULL,
    master_key_id  text NOT NULL,
    sealed         bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 32 AND 65536),
    stored_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (credential_id, secret_version)
);

-- Random secrets of the installation itself, sealed likewise; the peppers of all keyed hashes are derived from them.
CREATE TABLE root_secrets (
    name          text PRIMARY KEY,
    master_key_id text NOT NULL,
    sealed        bytea NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Names of accounts, operators and API keys: personal data, erased by deleting the row.
CREATE TABLE subject_names (
    subject_id uuid PRIMARY KEY,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What was answered to a POST with an idempotency key. `response` is sealed: it may show a new API key.
CREATE TABLE idempotency (
    actor        text NOT NULL,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    input_sha256 bytea NOT NULL CHECK (octet_length(input_sha256) = 32),
    status       smallint,
    response     bytea,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (actor, key),
    CHECK ((status IS NULL) = (response IS NULL))
);
CREATE INDEX idempotency_created_at_idx ON idempotency (created_at);
