-- Up to when somebody has seen what is told to them.
ALTER TABLE people ADD COLUMN notices_seen_us bigint NOT NULL DEFAULT 0;
