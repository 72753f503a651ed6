"""Read model `keys`: every API key with its life, its own budgets, and what was charged through it.

For lists. Must not be used to let anybody in, or to keep anybody out: it lags behind the log, and knows no secret and no
hash of one. The directory decides that.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import ClassVar, Final, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from application.keys.queries import ShownSecret
from domain.budgets import budget as budget_rules
from domain.budgets.budget import Budget
from domain.budgets.events import BudgetRemoved, BudgetSet
from domain.fact import member_of
from domain.keys.events import (
    ApiKeyExpirySet,
    ApiKeyIssued,
    ApiKeyLimitsSet,
    ApiKeyRevoked,
    ApiKeyRotated,
    KeyEvent,
)
from domain.ledger.events import RequestReleased, UsageCharged
from domain.limits import Limits
from projections.books import Books, mark_table
from projections.folded import FoldTable
from projections.projection import Connection, Located, Table, Write, topics_of
from projections.sums import TEXT, SumTable


class KeyLife(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a key's stream, without what opens it."""

    account_id: UUID
    secrets: tuple[ShownSecret, ...]
    limits: Limits
    expires_us: int | None
    imported: bool
    rotated_us: int | None = None
    revoked_us: int | None = None
    revoked_because: str | None = None
    member_id: UUID | None = None  #: who made it in the customer's workspace


def _evolve(life: KeyLife | None, event: KeyEvent) -> KeyLife:
    if isinstance(event, ApiKeyIssued):
        return KeyLife(
            account_id=event.account_id,
            secrets=(ShownSecret(prefix=event.prefix),),
            limits=event.limits,
            expires_us=event.expires_us,
            imported=event.imported,
            member_id=member_of(event.actor),
        )
    assert life is not None, "a key begins with ApiKeyIssued"
    match event:
        case ApiKeyRotated():
            former = tuple(replace(one, valid_until_us=event.overlap_until_us) for one in life.secrets[:1])
            secrets = (ShownSecret(prefix=event.prefix), *former)
            return replace(life, secrets=secrets, rotated_us=event.occurred_us)
        case ApiKeyLimitsSet():
            return replace(life, limits=event.limits)
        case ApiKeyExpirySet():
            return replace(life, expires_us=event.expires_us)
        case ApiKeyRevoked():
            return replace(life, secrets=(), revoked_us=event.occurred_us, revoked_because=event.reason)
        case _:
            assert_never(event)


KEYS: Final = FoldTable(
    name="api_keys",
    key="key_id",
    key_kind="uuid",
    state=KeyLife,
    evolve=_evolve,
    events=(ApiKeyIssued, ApiKeyRotated, ApiKeyLimitsSet, ApiKeyExpirySet, ApiKeyRevoked),
    begins=(ApiKeyIssued,),
    shown={
        "account_id": ("uuid", lambda life: life.account_id),
        "prefix": (TEXT, lambda life: life.secrets[0].prefix if life.secrets else None),
        "expires_us": ("bigint", lambda life: life.expires_us),
        "revoked": ("boolean", lambda life: life.revoked_us is not None),
        "member_id": ("uuid", lambda life: life.member_id),
    },
    indexes=(
        "(account_id, key_id)",
        "(prefix)",
        "(key_id) WHERE revoked",
        "(key_id) WHERE expires_us IS NOT NULL",
    ),
)
BUDGETS: Final = FoldTable(
    name="key_budgets",
    key="budget_id",
    key_kind="uuid",
    state=Budget,
    evolve=budget_rules.evolve,
    events=(BudgetSet, BudgetRemoved),
    begins=(BudgetSet,),
    shown={
        "key_id": ("uuid", lambda budget: budget.key_id),
        "removed": ("boolean", lambda budget: budget.removed),
    },
    indexes=("(key_id) WHERE key_id IS NOT NULL AND NOT removed",),
)
USES: Final = SumTable(
    name="key_uses",
    key={"key_id": "uuid"},
    sums=("charges", "charged_nano"),
    newest=("last_used_us",),
)


class Keys:
    """The fold: keys and budgets as their facts have them, uses as sums."""

    name: ClassVar[str] = "keys"
    version: ClassVar[int] = 2
    tables: ClassVar[tuple[Table, ...]] = (KEYS.table(), BUDGETS.table(), USES.table(), mark_table("keys"))
    topics: ClassVar[frozenset[str]] = (
        KEYS.topics | BUDGETS.topics | topics_of((UsageCharged, RequestReleased))
    )

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books = Books(connection, schema, self.name)
        new = [booked.fact for booked in books.unseen(facts)]
        writes = [*KEYS.fold(connection, schema, new), *BUDGETS.fold(connection, schema, new)]
        return [*writes, *USES.add(_uses(new)), books.mark()]


def _uses(facts: Sequence[Located]) -> dict[tuple[UUID], list[int]]:
    uses: dict[tuple[UUID], list[int]] = defaultdict(lambda: [0, 0, 0])
    for fact in facts:
        event = fact.event
        if isinstance(event, UsageCharged):
            use = uses[event.key_id,]
            use[0] += 1
            use[1] += event.charge_nano
            use[2] = event.occurred_us
        elif isinstance(event, RequestReleased):
            uses[event.key_id,][2] = event.occurred_us
    return uses
