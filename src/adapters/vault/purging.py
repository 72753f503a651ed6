"""Forgetting what was kept for a while: batch by batch, so that nobody who needs the table waits for long."""

from typing import Final, LiteralString

from adapters.vault.session import Pool, transaction

KEEP_S: Final = 86_400
"""How long a repeated request gets the first one's answer."""


def purge_in_batches(
    pool: Pool, statement: LiteralString, *, older_than_s: float, batch_rows: int, batches_max: int
) -> int:
    """Run a DELETE of at most `batch_rows` until one finds fewer; returns how many rows went. Needs no master key.

    The statement takes the age in seconds and the number of rows. What is left after `batches_max` is for the next call.

    Raises:
        VaultUnavailable: the database went away; batches before that are gone.
    """
    forgotten = 0
    for _ in range(batches_max):
        with transaction(pool) as connection:
            rows = connection.execute(statement, (older_than_s, batch_rows)).rowcount
        forgotten += rows
        if rows < batch_rows:
            break
    return forgotten
