-- Links that were mailed to somebody: to open an account, to set a new password, to confirm an address. Each works once and for a
-- short time. `email_sealed` is sealed with a key that only the link gives, so a copy of the table names nobody.
CREATE TABLE mailed_links (
    link_hash    bytea PRIMARY KEY CHECK (octet_length(link_hash) = 32),
    purpose      text NOT NULL CHECK (purpose IN ('sign-up', 'reset', 'confirm')),
    email_hash   bytea NOT NULL CHECK (octet_length(email_hash) = 32),
    email_sealed bytea NOT NULL CHECK (octet_length(email_sealed) BETWEEN 29 AND 1100),
    person_id    uuid REFERENCES people ON DELETE CASCADE,
    expires_us   bigint NOT NULL,
    UNIQUE (purpose, email_hash)
);
CREATE INDEX mailed_links_expires_idx ON mailed_links (expires_us);

-- When a link that was mailed to the address was followed; empty until then.
ALTER TABLE people ADD COLUMN confirmed_us bigint;
