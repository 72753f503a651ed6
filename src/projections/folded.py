"""Tables with a row for each thing that has facts of its own: the fold of these facts, and what can be searched of it.

The fold stands whole in the row, as JSON, so that a later fact finds it and a reader gets it as the domain has it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from domain.event import Event
from projections.arrays import array_literal, column_literals
from projections.projection import Connection, Located, Table, Write, topics_of

#: Columns of every such table, beside the key and those that are searched. Times are the facts' own.
_OWN: Final = {
    "first_us": "bigint",
    "changed_us": "bigint",
    "first_position": "bigint",
    "position": "bigint",
    "state": "text",
}


def state_text(state: object) -> str:
    """A fold as JSON that is the same in every process: keys, which may be ids, and members of sets in order."""
    plain = msgspec.to_builtins(state, str_keys=True, order="deterministic")
    return msgspec.json.encode(plain).decode()


class Kept(msgspec.Struct):
    """One thing as far as it is folded; `position` is that of the newest fact in it."""

    state: Any = None
    first_us: int = 0
    changed_us: int = 0
    first_position: int = 0
    position: int = 0


class FoldTable(msgspec.Struct, frozen=True, kw_only=True):
    """`evolve` folds a fact into a `state`, as the domain does. A thing begins with a fact of `begins`: what comes
    before it stands in no lawful log, and is passed over.
    """

    name: str
    key: str  #: the column's name, and that of the facts' field
    key_kind: str
    state: type
    evolve: Callable[[Any, Any], Any]
    events: tuple[type[Event], ...]
    begins: tuple[type[Event], ...]
    blank: Any = None  #: the fold of no fact
    shown: Mapping[
        str, tuple[str, Callable[[Any], object]]
    ]  #: what is searched: type of the column, and its value
    indexes: tuple[str, ...] = ()

    @property
    def topics(self) -> frozenset[str]:
        return topics_of(self.events)

    def table(self) -> Table:
        """As the read model declares it."""
        columns = [f"{self.key} {self.key_kind} PRIMARY KEY"]
        columns += [f"{name} {kind}" for name, (kind, _) in self.shown.items()]
        columns += [f"{name} {kind} NOT NULL" for name, kind in _OWN.items()]
        return Table(
            name=self.name,
            key=self.key,
            columns=", ".join(columns),
            fillfactor=80,
            indexes=self.indexes,
        )

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> list[Write]:
        """What the facts among these that are of this table change in it."""
        ours = [fact for fact in facts if isinstance(fact.event, self.events)]
        if not ours:
            return []
        known = self._load(connection, schema, {getattr(fact.event, self.key) for fact in ours})
        changed: dict[Any, Kept] = {}
        for fact in ours:
            key = getattr(fact.event, self.key)
            one = known.setdefault(key, Kept())
            if self._take(one, fact):
                changed[key] = one
        return [self._store(changed)] if changed else []

    def _take(self, one: Kept, fact: Located) -> bool:
        """Fold one fact; false if the row knows it already, or nothing has begun."""
        event: Any = fact.event
        occurred_us: int = event.occurred_us
        if fact.position <= one.position:
            return False
        if one.state is None:
            if not isinstance(event, self.begins):
                return False
            one.state, one.first_us, one.first_position = self.blank, occurred_us, fact.position
        one.state = self.evolve(one.state, event)
        one.changed_us, one.position = occurred_us, fact.position
        return True

    def _load(self, connection: Connection, schema: str, keys: Iterable[Any]) -> dict[Any, Kept]:
        columns = ", ".join((self.key, *_OWN))
        kind = _plain(self.key_kind)
        statement = f"SELECT {columns} FROM {schema}.{self.name} WHERE {self.key} = ANY(%s::{kind}[])"  # noqa: S608  # our names
        rows = connection.execute(statement, [array_literal(sorted(keys))])
        return {
            key: Kept(msgspec.json.decode(state, type=self.state), *figures) for key, *figures, state in rows
        }

    def _store(self, changed: Mapping[Any, Kept]) -> Write:
        kinds = {self.key: self.key_kind, **{name: kind for name, (kind, _) in self.shown.items()}, **_OWN}
        arrays = ", ".join(f"%s::{_plain(kind)}[]" for kind in kinds.values())
        changes = ", ".join(f"{name} = excluded.{name}" for name in kinds if name != self.key)
        statement = (
            f"INSERT INTO {{schema}}.{self.name} ({', '.join(kinds)}) "  # noqa: S608  # our names
            f"SELECT * FROM unnest({arrays}) WHERE {{moved}} ON CONFLICT ({self.key}) DO UPDATE SET {changes}"
        )
        return Write(statement, column_literals(self._row(key, one) for key, one in changed.items()))

    def _row(self, key: Any, one: Kept) -> tuple[object, ...]:
        return (
            key,
            *(value_of(one.state) for _, value_of in self.shown.values()),
            one.first_us,
            one.changed_us,
            one.first_position,
            one.position,
            state_text(one.state),
        )


def _plain(kind: str) -> str:
    return kind.removesuffix(' COLLATE "C"')
