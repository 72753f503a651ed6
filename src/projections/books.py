"""The time at which facts are booked, and the mark of read models whose rows are sums.

A fact is booked when the database recorded it, or at the time of the movement of credit before it, should the
database's clock have gone back in between. So the order of the books is that of the log: nothing is ever booked into a
time that has passed, and what a period holds is a range of positions. ADR 37.

A sum cannot tell what is in it. The mark remembers the newest fact that is, and facts up to it are passed over.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from domain.ledger.postings import load_rules
from projections.projection import Connection, Located, Table, Write

#: Facts that move credit. Every read model that books folds them all, so that all have the same clock.
MOVING: Final = frozenset(load_rules().rules)


class Booked(msgspec.Struct, frozen=True, gc=False):
    """A fact that is not in the rows yet."""

    fact: Located
    booked_us: int


def mark_table(name: str) -> Table:
    """The mark of the read model `name`: one row once there is something to remember."""
    return Table(
        name=f"{name}_mark",
        key="id",
        columns="id smallint PRIMARY KEY, position bigint NOT NULL, booked_us bigint NOT NULL",
        fillfactor=50,
    )


class Books:
    """The books of one read model as a batch finds them; `position` and `booked_us` are those of the mark."""

    def __init__(self, connection: Connection, schema: str, name: str) -> None:
        self._name = name
        row = connection.execute(f"SELECT position, booked_us FROM {schema}.{name}_mark").fetchone()  # noqa: S608  # our names
        self.position, self.booked_us = row or (0, 0)

    def unseen(self, facts: Sequence[Located]) -> Iterator[Booked]:
        """The facts behind the mark, which moves with them."""
        for fact in facts:
            if fact.position > self.position:
                booked_us = max(fact.recorded_us, self.booked_us)
                if fact.event.TOPIC in MOVING:
                    self.booked_us = booked_us
                self.position = fact.position
                yield Booked(fact, booked_us)

    def mark(self) -> Write:
        """Remember how far the rows are now."""
        statement = (
            f"INSERT INTO {{schema}}.{self._name}_mark (id, position, booked_us) "  # our names
            "SELECT 1, %s::bigint, %s::bigint WHERE {moved} ON CONFLICT (id) DO UPDATE SET "
            "position = excluded.position, booked_us = excluded.booked_us"
        )
        return Write(statement, (self.position, self.booked_us))
