"""Tables whose rows are sums over facts of one kind: a batch is added up here, and its sums to those of the rows."""

from collections.abc import Mapping, Sequence
from operator import add
from typing import Any

import msgspec

from application.queries import clean
from projections.arrays import column_literals
from projections.projection import Table, Write

#: A column of text in a key: sorted by bytes, so that no locale changes the order in which rows are hashed.
TEXT = 'text COLLATE "C"'


Rows = Mapping[tuple[Any, ...], Sequence[int]]


class SumTable(msgspec.Struct, frozen=True):
    """A table with columns for its key, and one column of 64 bits for each sum."""

    name: str
    key: Mapping[str, str]  #: name and type of each column
    sums: tuple[str, ...]
    kept: tuple[str, ...] = ()  #: set by the first fact, and not changed
    newest: tuple[str, ...] = ()  #: set by the last one
    indexes: tuple[str, ...] = ()

    def table(self) -> Table:
        """As the read model declares it."""
        columns = [f"{name} {kind} NOT NULL" for name, kind in self.key.items()]
        columns += [f"{name} bigint NOT NULL" for name in self._values]
        key = ", ".join(self.key)
        return Table(
            name=self.name,
            key=key,
            columns=", ".join([*columns, f"PRIMARY KEY ({key})"]),
            fillfactor=80,
            indexes=self.indexes,
        )

    def coarser(self, name: str, *columns: str) -> "SumTable":
        """A table of the same sums by some columns of the key alone, for readers who do not ask for the others."""
        return SumTable(name=name, key={column: self.key[column] for column in columns}, sums=self.sums)

    def sums_of(self, finer: "SumTable", rows: Rows) -> Rows:
        """What a batch adds here, from what it adds to a finer table."""
        places = [[*finer.key].index(column) for column in self.key]
        found: dict[tuple[Any, ...], Sequence[int]] = {}
        for key, values in rows.items():
            coarse = tuple([key[place] for place in places])
            before = found.get(coarse)
            found[coarse] = values if before is None else [*map(add, before, values)]
        return found

    def add(self, rows: Rows) -> list[Write]:
        """Add what a batch summed up, by key; values in the order of `sums`, `kept`, `newest`."""
        if not rows:
            return []
        columns = column_literals((*key, *values) for key, values in rows.items())
        return [Write(self._statement(), columns)]

    @property
    def _values(self) -> tuple[str, ...]:
        return (*self.sums, *self.kept, *self.newest)

    def _statement(self) -> str:
        kinds = [kind.removesuffix(' COLLATE "C"') for kind in self.key.values()] + ["bigint"] * len(
            self._values
        )
        arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
        changes = [f"{name} = old.{name} + excluded.{name}" for name in self.sums]
        changes += [f"{name} = excluded.{name}" for name in self.newest]
        return (
            f"INSERT INTO {{schema}}.{self.name} AS old ({', '.join((*self.key, *self._values))}) "  # noqa: S608
            f"SELECT * FROM unnest({arrays}) WHERE {{moved}} "
            f"ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {', '.join(changes)}"
        )


class Cleaned(dict[str, str]):
    """Texts as they are stored, each cleaned once: two that are stored alike must not be two keys."""

    def __missing__(self, text: str) -> str:
        cleaned = self[text] = clean(text)
        return cleaned
