"""What the store asks the database. `event_log` is all of the log that is there: open part, closed parts, what was kept."""

# ruff: noqa: S608  # put together from the constants of this module

from typing import Final

COLUMNS: Final = (
    "SELECT notification_id, originator_id, originator_version, topic, state, recorded_at FROM event_log e"
)
STREAM: Final = f"{COLUMNS} WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version"
# Nothing when the archive goes on from there: a page never begins behind events that have left the database.
LOG: Final = f"""{COLUMNS}
    WHERE notification_id > %s AND %s >= (SELECT until_position FROM log_archive)
    ORDER BY notification_id LIMIT %s"""
CONTROL: Final = f"""{COLUMNS}
    WHERE notification_id > %s
        AND topic NOT LIKE 'lease.%%' AND topic NOT LIKE 'wallet.%%' AND topic NOT LIKE 'idempotency.%%'
    ORDER BY notification_id LIMIT %s"""
OPEN_LEASES: Final = f"""{COLUMNS} JOIN open_leases o ON o.position = e.notification_id
    WHERE o.position > %s ORDER BY o.position LIMIT %s"""
SNAPSHOT: Final = "SELECT state FROM snapshots WHERE stream_id = %s"
KEEP_SNAPSHOT: Final = """
    INSERT INTO snapshots (stream_id, version, state) VALUES (%s, %s, %s)
    ON CONFLICT (stream_id) DO UPDATE
    SET version = excluded.version, state = excluded.state, made_at = clock_timestamp()"""
TAILS: Final = f"""{COLUMNS} JOIN unnest(%s::uuid[], %s::bigint[]) AS tail (id, version)
    ON e.originator_id = tail.id AND e.originator_version > tail.version ORDER BY e.notification_id"""
LOCK: Final = "SELECT tokenok_lock_log()"
UNTIL: Final = "SELECT until_position FROM log_archive"
HEAD: Final = f"SELECT greatest((SELECT max(notification_id) FROM event_log), ({UNTIL}))"
PLACE: Final = (
    "SELECT first_position, last_position, version FROM archived_heads WHERE stream_id = %s AND version > %s"
)
MANIFESTS: Final = (
    f"SELECT manifest FROM archive_segments WHERE last_position <= ({UNTIL}) ORDER BY last_position"
)
