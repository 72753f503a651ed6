-- Which person a company's identity provider means by a subject of its own. Bound once, at the first sign-in; what the provider
-- says of an address afterwards changes nothing.
CREATE TABLE oidc_identities (
    issuer    text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject   text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, person_id)
);
