-- What runs again and again, and when it is due next. Unix microseconds, by the scheduler's clock.
CREATE TABLE schedule (
    name text PRIMARY KEY,
    every_us bigint NOT NULL,
    next_us bigint NOT NULL
);
