"""Background work: Dramatiq over Redis for wake-ups that may be lost, and a schedule in Postgres that may not."""
