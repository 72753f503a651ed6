-- Keys of personal data in events, one for each subject. Not a part of the log and of no export of it: deleting the key
-- is what erases. Sealed with the master key, which its first bytes name.
CREATE TABLE subject_keys (
    subject_id uuid PRIMARY KEY,
    key_id     uuid UNIQUE,
    sealed     bytea CHECK (octet_length(sealed) BETWEEN 32 AND 1024),
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at  timestamptz,
    CHECK ((sealed IS NULL) = (erased_at IS NOT NULL)),
    CHECK (key_id IS NOT NULL OR erased_at IS NOT NULL)
);

-- A row without a name: whoever it was has been erased, and gets no name again.
ALTER TABLE subject_names ALTER COLUMN name DROP NOT NULL;
