-- Browsers in which somebody has signed in, by the keyed hash of what each of them holds: a mail tells of one that is new.
CREATE TABLE people_browsers (
    person_id    uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    seen_us      bigint NOT NULL,
    PRIMARY KEY (person_id, browser_hash)
);
