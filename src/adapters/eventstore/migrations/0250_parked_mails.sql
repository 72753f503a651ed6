-- Each scrape of /metrics asks how many mails are parked, and since when.
CREATE INDEX mail_outbox_parked_idx ON mail_outbox (queued_us) WHERE state = 'parked';
