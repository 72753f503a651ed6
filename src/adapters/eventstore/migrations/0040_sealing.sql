-- What was signed of the log, remembered beside the sealed directory: whoever replaces one must replace the other too.
CREATE TABLE sealed_checkpoints (
    size      bigint PRIMARY KEY,
    position  bigint NOT NULL,
    note      bytea NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Why sealing stands still; no row while it goes on.
CREATE TABLE sealing_fault (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    code    text NOT NULL,
    words   text NOT NULL,
    since   timestamptz NOT NULL DEFAULT clock_timestamp()
);
