-- What authenticators hold for people (WebAuthn). The public half only: nothing in here lets anybody in.
CREATE TABLE passkeys (
    credential_id bytea PRIMARY KEY CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    person_id     uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    public_key    bytea NOT NULL CHECK (octet_length(public_key) BETWEEN 1 AND 4096),
    sign_count    bigint NOT NULL,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    made_us       bigint NOT NULL,
    used_us       bigint
);
CREATE INDEX passkeys_person_idx ON passkeys (person_id);

-- Challenges that were answered, until they are too old to be answered again.
CREATE TABLE passkey_challenges_used (
    challenge_hash bytea PRIMARY KEY CHECK (octet_length(challenge_hash) = 32),
    used_us        bigint NOT NULL
);
CREATE INDEX passkey_challenges_used_idx ON passkey_challenges_used (used_us);
