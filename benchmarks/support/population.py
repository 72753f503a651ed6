"""Many customers with many keys, stored as their commands would have stored them, but in large batches.

Names stand beside the log; they are written there in one statement.
"""

from collections.abc import Iterator
from itertools import islice
from random import Random
from uuid import UUID

import psycopg

from adapters.eventstore.store import PostgresEventStore
from application.command import new_event
from application.eventlog import NewEvent
from domain import accounts
from domain.fact import SYSTEM, Stamp
from domain.keys import key as key_rules
from domain.keys.secret import SecretRecord
from domain.limits import NO_LIMITS

_BATCH_EVENTS = 5_000
_FIRST = (
    "Aster",
    "Birch",
    "Cedar",
    "Dune",
    "Ember",
    "Fjord",
    "Grove",
    "Harbour",
    "Inlet",
    "Juniper",
    "Kestrel",
    "Lagoon",
)
_SECOND = (
    "Analytics",
    "Books",
    "Care",
    "Design",
    "Energy",
    "Foods",
    "Games",
    "Health",
    "Imaging",
    "Journal",
    "Kitchens",
    "Labs",
)


class Population:
    """`keys` are those of each account, in a random order of accounts; the first accounts have the most."""

    def __init__(self, *, accounts: int, keys: int, now_us: int) -> None:
        self._random = Random(2)
        self._stamp = Stamp(now_us=now_us, actor=SYSTEM.label)
        ids = [self._id() for _ in range(accounts)]
        self.keys: dict[UUID, list[UUID]] = {account_id: [self._id()] for account_id in ids}
        for _ in range(keys - accounts):
            self.keys[ids[int(accounts * self._random.random() ** 1.5)]].append(self._id())

    def store(self, store: PostgresEventStore, database_url: str) -> int:
        """Everything, with names; the number of events."""
        events, stored = self._events(), 0
        while batch := list(islice(events, _BATCH_EVENTS)):
            store.append(batch)
            stored += len(batch)
        with (
            psycopg.connect(database_url) as connection,
            connection.cursor() as cursor,
            cursor.copy("COPY subject_names (subject_id, name) FROM STDIN") as copy,
        ):
            for row in self._names():
                copy.write_row(row)
        return stored

    def _events(self) -> Iterator[NewEvent]:
        for account_id, key_ids in self.keys.items():
            (opened,) = accounts.open_account(None, account_id=account_id, stamp=self._stamp)
            account = accounts.evolve(None, opened)
            yield new_event(account_id, 1, opened)
            for key_id in key_ids:
                secret = SecretRecord(
                    secret_hash=self._random.randbytes(32).hex(), prefix=f"tk_live_{key_id.hex[:4]}"
                )
                (issued,) = key_rules.issue(
                    None,
                    key_id=key_id,
                    account=account,
                    secret=secret,
                    limits=NO_LIMITS,
                    expires_us=None,
                    imported=False,
                    stamp=self._stamp,
                )
                yield new_event(key_id, 1, issued)
                claim = key_rules.claim(key_id=key_id, stamp=self._stamp)
                yield new_event(key_rules.secret_stream(secret.secret_hash), 1, claim)

    def _names(self) -> Iterator[tuple[UUID, str]]:
        for number, (account_id, key_ids) in enumerate(self.keys.items()):
            yield account_id, f"{_FIRST[number % 12]} {_SECOND[number // 12 % 12]} {number}"
            for place, key_id in enumerate(key_ids):
                yield key_id, f"key {place}"

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)
