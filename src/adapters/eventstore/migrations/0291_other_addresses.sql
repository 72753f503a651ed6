-- Two more kinds of links: to another address of somebody (`address`, mailed to that one), and back to the one before (`take-back`,
-- mailed to that). Several people may have such links to one address at the same time: whoever asks for it does not end the links of
-- whose it is. So the person counts with it.
ALTER TABLE mailed_links
    DROP CONSTRAINT mailed_links_purpose_check,
    ADD CONSTRAINT mailed_links_purpose_check
        CHECK (purpose IN ('sign-up', 'reset', 'confirm', 'address', 'take-back')),
    DROP CONSTRAINT mailed_links_purpose_email_hash_key,
    ADD CONSTRAINT mailed_links_purpose_email_hash_person_id_key
        UNIQUE NULLS NOT DISTINCT (purpose, email_hash, person_id);
CREATE INDEX mailed_links_person_idx ON mailed_links (person_id);
