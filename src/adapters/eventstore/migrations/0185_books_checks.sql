-- What the last look at all accounts and all open holds found: one row, for health and alarms, without meaning for any figure.
CREATE TABLE books_checks (
    id                smallint PRIMARY KEY CHECK (id = 1),
    checked_us        bigint NOT NULL,
    zero_sum_nano     numeric NOT NULL,
    drift_nano        numeric NOT NULL,
    accounts_compared bigint NOT NULL,
    open_holds        bigint NOT NULL,
    held_nano         numeric NOT NULL,
    oldest_hold_us    bigint
);
