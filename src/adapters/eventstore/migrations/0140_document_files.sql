-- Files of invoices and credit notes as they were printed first, sealed with the key of their buyer (`subject_keys`). Not a
-- part of the log: their hashes are. A lost row is printed again, to the same bytes by the same printer.
CREATE TABLE document_files (
    document_id uuid NOT NULL,
    name        text NOT NULL,
    key_id      uuid NOT NULL,
    ciphertext  bytea NOT NULL,
    kept_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (document_id, name)
);
