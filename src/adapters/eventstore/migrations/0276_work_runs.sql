-- Which worker is at which long work, and how far it is. Nothing of it is history: that a work was asked for, and how it ended, is in the log.
CREATE TABLE work_runs (
    work_id   uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    beat_us   bigint NOT NULL,
    done      bigint NOT NULL DEFAULT 0,
    whole     bigint NOT NULL DEFAULT 0
);
