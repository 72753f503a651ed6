-- Mails that wait to be sent, and what became of those that were. What one says, and to whom, is sealed with a key of
-- `subject_keys` and dropped once it has left. `claims` only grows: it is the fence between two workers that hold one mail.
CREATE TABLE mail_outbox (
    mail_id    uuid PRIMARY KEY,
    template   text NOT NULL,
    locale     text NOT NULL,
    subject_id uuid NOT NULL,
    key_id     uuid NOT NULL,
    ciphertext bytea,
    state      text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'handing_over', 'sent', 'parked', 'discarded')),
    reason     text NOT NULL DEFAULT '',
    attempts   integer NOT NULL DEFAULT 0,
    claims     integer NOT NULL DEFAULT 0,
    queued_us  bigint NOT NULL,
    next_us    bigint NOT NULL,
    sent_us    bigint,
    expires_us bigint
);
CREATE INDEX mail_outbox_due_idx ON mail_outbox (next_us) WHERE state IN ('waiting', 'handing_over');
CREATE INDEX mail_outbox_queued_idx ON mail_outbox (queued_us, mail_id);

-- How far the log was read for facts that somebody gets a mail about.
CREATE TABLE mail_follower (
    is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
    position   bigint NOT NULL
);
