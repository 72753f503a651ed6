-- People who sign in to the console. Who they are and what they may do is in the log; here is what must never be there:
-- what proves that it is them, and where they are signed in. Nothing here is needed to re-derive a figure.

-- `email_hash` is keyed: it finds, and cannot be guessed without the installation's root secret. The address itself is
-- sealed in the log. The password is Argon2id; the seed of one-time codes is sealed with the master key.
CREATE TABLE people (
    person_id     uuid PRIMARY KEY,
    email_hash    bytea NOT NULL UNIQUE CHECK (octet_length(email_hash) = 32),
    password_hash text NOT NULL CHECK (length(password_hash) BETWEEN 1 AND 500),
    totp_sealed   bytea,
    totp_step     bigint NOT NULL DEFAULT 0,
    locale        text,
    zone          text,
    theme         text,
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (octet_length(totp_sealed) BETWEEN 32 AND 1024)
);

CREATE TABLE people_recovery_codes (
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    PRIMARY KEY (person_id, code_hash)
);

-- `secret_hash` is the keyed hash of what the browser holds. A session of stage `password` still owes a one-time code.
CREATE TABLE people_sessions (
    session_id  uuid PRIMARY KEY,
    secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    person_id   uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    stage       text NOT NULL CHECK (stage IN ('password', 'full')),
    made_us     bigint NOT NULL,
    seen_us     bigint NOT NULL,
    expires_us  bigint NOT NULL,
    address     text NOT NULL,
    agent       text NOT NULL
);
CREATE INDEX people_sessions_person_idx ON people_sessions (person_id);
CREATE INDEX people_sessions_expires_idx ON people_sessions (expires_us);

-- Failed attempts by keyed hash of an account or of a network address. A row is a window; it starts anew when it is over.
CREATE TABLE sign_in_failures (
    bucket    bytea PRIMARY KEY CHECK (octet_length(bucket) = 32),
    failures  integer NOT NULL,
    begun_us  bigint NOT NULL
);
CREATE INDEX sign_in_failures_begun_idx ON sign_in_failures (begun_us);
