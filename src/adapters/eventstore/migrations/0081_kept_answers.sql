-- Answers to requests with an idempotency key, for a day. Sealed with the account's key in `subject_keys`, so that an
-- erasure takes them along. Whether a request was served, and what it cost, is in the log.
CREATE TABLE kept_answers (
    request_id uuid PRIMARY KEY,
    key_id     uuid NOT NULL,
    ciphertext bytea NOT NULL,
    kept_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX kept_answers_kept_at_idx ON kept_answers (kept_at);
