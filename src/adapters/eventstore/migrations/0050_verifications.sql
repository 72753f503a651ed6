-- What `ledger verify` said, newest last: for alarms, and without meaning for any figure.
CREATE TABLE verifications (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verified_us          bigint NOT NULL,
    ok                   boolean NOT NULL,
    position             bigint NOT NULL,
    violations           bigint NOT NULL,
    trial_balance_sha256 text NOT NULL
);
