"""What surfaces may ask of the read models: the answers' shapes and the ports that give them.

Read models lag behind the log by a moment. They are for showing and searching; nothing about money is
decided from them. Amounts are integer nano-credits, times Unix microseconds, both taken from the events.
"""

from collections.abc import Sequence
from typing import Final, Literal, Protocol
from uuid import UUID

import msgspec

from domain.ledger.events import PassedOver, UsageSource

RequestState = Literal["admitted", "charged", "released", "abandoned"]
ReviewState = Literal["waiting", "upheld", "corrected"]  #: of a charge that was held for review or disputed
PAGE_ROWS_MAX = 500
CHAT: Final = "chat"
NOT_PASSED_OVER: Final = "[]"


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """An account's credit: `posted` = granted - charged - expired - taken, `available` = posted - held - frozen."""

    account_id: UUID
    granted_nano: int
    charged_nano: int
    expired_nano: int  #: gone because its time was over
    taken_nano: int  #: debits, lots taken back, and what went back with its payment or paid a debt
    posted_nano: int
    held_nano: int
    frozen_nano: int = 0  #: set aside for refunds and disputes that are open
    owed_nano: int = 0  #: spent of payments that went back; while there is any, no request is served
    available_nano: int
    open_holds: int
    updated_position: int


class OpenHold(msgspec.Struct, frozen=True, kw_only=True):
    """Credit set aside for a request that has not ended yet."""

    request_id: UUID
    account_id: UUID
    lease_id: UUID
    hold_nano: int
    since_us: int


class BalanceWithHolds(msgspec.Struct, frozen=True, kw_only=True):
    """A balance and the holds behind it, oldest first, both of the same moment.

    `holds` is cut at the limit that was asked for; `balance.open_holds` counts them all.
    """

    balance: Balance
    holds: tuple[OpenHold, ...]


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One request. What the log has not said (yet) is `None`; the charge is 0 unless `state` is `charged`."""

    request_id: UUID
    account_id: UUID
    lease_id: UUID
    key_id: UUID | None
    alias: str | None
    stream: bool | None
    client_ref: str | None
    price_version: int | None  #: the price list that made the charge
    hold_nano: int
    state: RequestState
    charge_nano: int
    shortfall_nano: int
    input_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    usage_source: UsageSource | None
    usage_flags: tuple[str, ...]
    result: str | None
    code: str | None
    provider: str | None
    deployment_id: UUID | None
    attempts: int
    first_byte_ms: int | None
    total_ms: int | None
    admitted_us: int | None
    ended_us: int | None
    first_position: int
    last_position: int
    operation: str | None = None  #: what was asked for, once it was charged: `chat`, `messages`, ...
    factor_ppm: int | None = None  #: of the hour and the service tier; none: the price itself
    images: int | None = None
    audio_ms: int | None = None
    characters: int | None = None
    searches: int | None = None
    passed_over: tuple[PassedOver, ...] = ()  #: deployments that might have served and were not tried


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one deployment; `number` counts from 1. `status` 0 means that no answer was read."""

    request_id: UUID
    position: int
    number: int
    deployment_id: UUID
    provider: str
    model: str
    status: int
    outcome: str
    started_us: int
    duration_ms: int
    upstream_request_id: str | None
    credential_id: UUID | None = None
    first_byte_ms: int | None = None  #: until the answer's head came


class RequestDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its attempts in order, both of the same moment."""

    request: RequestRow
    attempts: tuple[AttemptRow, ...]
    review: ReviewState | None = None  #: none: its charge was neither held nor disputed


class RequestFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests to list; an unset field allows all. Times bound the admission: from <= t < until."""

    account_id: UUID | None = None
    key_id: UUID | None = None
    state: RequestState | None = None
    alias: str | None = None
    client_ref: str | None = None
    admitted_from_us: int | None = None
    admitted_until_us: int | None = None
    price_version: int | None = None
    last_position_from: int | None = None  #: the newest event is at this position or behind it
    last_position_to: int | None = None  #: the newest event is at this position or before it


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, newest first. `next_before` is the `before_position` of the next page; `None` on the last."""

    requests: tuple[RequestRow, ...]
    next_before: int | None


class BalanceQueries(Protocol):
    """Balances as last projected."""

    def balance(self, account_id: UUID) -> Balance | None:
        """`None`: no credit was ever granted to the account, nor anything held or charged."""
        ...

    def balance_with_holds(self, account_id: UUID, *, holds_max: int = 100) -> BalanceWithHolds | None:
        """As `balance`, with the open holds behind it."""
        ...

    def balances(self, *, after: UUID | None = None, limit: int = 100) -> tuple[Balance, ...]:
        """Balances by account id, those after `after`; at most `limit`, capped at `PAGE_ROWS_MAX`."""
        ...

    def debts(self, *, after: UUID | None = None, limit: int = 100) -> tuple[Balance, ...]:
        """As `balances`, of those accounts that owe."""
        ...

    def balances_of(self, account_ids: Sequence[UUID]) -> dict[UUID, Balance]:
        """Of these accounts, by id; as `balance`, those without any are left out."""
        ...

    def open_holds(
        self, *, account_id: UUID | None = None, after: UUID | None = None, limit: int = 100
    ) -> tuple[OpenHold, ...]:
        """Open holds of one account or of all by request id, those after `after`; capped at `PAGE_ROWS_MAX`.

        Request ids are ordered by time, so the oldest come first.
        """
        ...


class RequestPlace(msgspec.Struct, frozen=True):
    """Where in the log a request was admitted, and where its newest event stands."""

    first_position: int
    last_position: int
    is_open: bool


class RequestPlaces(Protocol):
    """Places of requests as last projected; what stands there is for the log to say."""

    def place(self, request_id: UUID) -> RequestPlace | None:
        """`None`: the log holds no admission of it, as far as it was projected."""
        ...


class RequestQueries(Protocol):
    """Requests as last projected."""

    def requests(
        self, wanted: RequestFilter, *, before_position: int | None = None, limit: int = 50
    ) -> RequestPage:
        """One page, newest first; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...

    def request(self, request_id: UUID) -> RequestDetail | None:
        """One request with its attempts; `None` if the log never named it."""
        ...


_CONTROL = dict.fromkeys(range(32), "�")


def clean(text: str) -> str:
    """Text as read models keep it: control characters replaced, for Postgres refuses NUL and no name needs one."""
    return text.translate(_CONTROL)


def passed_over_text(some: Sequence[PassedOver]) -> str:
    """Deployments that were passed over, as read models keep them: JSON."""
    if not some:
        return NOT_PASSED_OVER
    return clean(
        msgspec.json.encode([[one.deployment_id, one.provider, one.reason] for one in some]).decode()
    )


def passed_over_of(text: str) -> tuple[PassedOver, ...]:
    """What `passed_over_text` wrote."""
    if text == NOT_PASSED_OVER:
        return ()
    return tuple(
        PassedOver(deployment_id=deployment_id, provider=provider, reason=reason)
        for deployment_id, provider, reason in msgspec.json.decode(text, type=list[tuple[UUID, str, str]])
    )
