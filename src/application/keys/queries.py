"""What surfaces may ask about API keys: the answers' shapes and the port that gives them. As last projected."""

from typing import Literal, Protocol
from uuid import UUID

import msgspec

from domain.budgets.budget import Budget
from domain.limits import Limits

KeyState = Literal["active", "expired", "revoked"]


class ShownSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a secret that opens the key."""

    prefix: str
    valid_until_us: int | None = None  #: set while a newer one is there already


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One API key. Times are Unix microseconds; amounts nano-credits of its whole life."""

    key_id: UUID
    account_id: UUID
    state: KeyState  #: of the key alone: it does not tell whether its account may spend
    secrets: tuple[ShownSecret, ...]  #: the current one first
    limits: Limits
    budgets: tuple[Budget, ...]  #: of the key itself, those in force
    expires_us: int | None
    revoked: bool
    imported: bool  #: the secret was made elsewhere and brought along
    created_us: int
    rotated_us: int | None  #: last
    revoked_us: int | None
    revoked_because: str | None
    last_used_us: int | None  #: when its newest request ended; those that are open are not in it yet
    charges: int
    charged_nano: int


class KeyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What `ledger verify` compares of a key."""

    key_id: UUID
    account_id: UUID | None  #: none: charges name a key that was never issued
    revoked: bool
    expires_us: int | None
    charges: int
    charged_nano: int
    last_used_us: int | None


class KeyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys to list; an unset field allows all."""

    account_id: UUID | None = None
    state: KeyState | None = None
    prefix: str | None = None  #: how the current secret begins, as it is shown
    begins: str | None = None  #: likewise, as far as somebody knows it
    named: str | None = None  #: what its name holds, in whatever case
    ends_before_us: int | None = None  #: it ends by itself before that


class KeyPage(msgspec.Struct, frozen=True, kw_only=True):
    """Keys by id, or the other way round. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[KeyRow, ...]
    next_after: UUID | None


class KeyQueries(Protocol):
    """Blocking; safe to use from threads. States are judged at `now_us`."""

    def keys(
        self,
        wanted: KeyFilter,
        *,
        now_us: int,
        after: UUID | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> KeyPage:
        """One page; `limit` is capped at `PAGE_ROWS_MAX`. The newest ids are the greatest."""
        ...

    def key(self, key_id: UUID, *, now_us: int) -> KeyRow | None:
        """One key."""
        ...
