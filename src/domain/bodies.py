"""Logging of bodies: whether an account's requests and answers are kept for operators to read, and who has read them.

What is kept lies outside the log, encrypted with the account's key, and for some days only. The log has what was decided and
done about it. One stream for each account.
"""

from typing import ClassVar, assert_never
from uuid import UUID

import msgspec

from domain.accounts import Account, existing, not_closed
from domain.fact import Fact, Stamp
from domain.text import REASON_CHARS_MAX, printable


class BodyLoggingSet(Fact, frozen=True, kw_only=True):
    """From now on the account's requests and answers are kept, or they are not any more."""

    TOPIC: ClassVar[str] = "bodies.logging-set.v1"

    account_id: UUID
    enabled: bool
    reason: str


class BodyRead(Fact, frozen=True, kw_only=True):
    """An operator was about to be shown a request and its answer."""

    TOPIC: ClassVar[str] = "bodies.read.v1"

    account_id: UUID
    request_id: UUID
    reason: str


class BodiesErased(Fact, frozen=True, kw_only=True):
    """All that was kept of the account until now is deleted."""

    TOPIC: ClassVar[str] = "bodies.erased.v1"

    account_id: UUID
    reason: str


BodyEvent = BodyLoggingSet | BodyRead | BodiesErased
BODY_EVENTS: tuple[type[Fact], ...] = (BodyLoggingSet, BodyRead, BodiesErased)


class BodyLogging(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of the stream."""

    enabled: bool = False


def evolve(logging: BodyLogging, event: BodyEvent) -> BodyLogging:
    """The state after one more fact."""
    match event:
        case BodyLoggingSet():
            return BodyLogging(enabled=event.enabled)
        case BodyRead() | BodiesErased():
            return logging
        case _:
            assert_never(event)


def set_logging(
    logging: BodyLogging, account: Account | None, *, enabled: bool, reason: str, stamp: Stamp
) -> list[BodyEvent]:
    """Switch it; switching to what is already does nothing.

    Raises:
        NotFound, WrongState: there is no such account, or it is closed and nothing of it may be kept.
        BadField: the reason is empty or cannot be shown.
    """
    account = not_closed(account) if enabled else existing(account)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if enabled == logging.enabled:
        return []
    return [
        BodyLoggingSet(
            account_id=account.account_id,
            enabled=enabled,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def note_read(account_id: UUID, *, request_id: UUID, reason: str, stamp: Stamp) -> list[BodyEvent]:
    """Each reading is noted, also of the same request again.

    Raises:
        BadField: the reason is empty or cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    return [
        BodyRead(
            account_id=account_id,
            request_id=request_id,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def note_erasure(account: Account | None, *, reason: str, stamp: Stamp) -> list[BodyEvent]:
    """It is a fact, so the bodies must be gone by now.

    Raises:
        NotFound: there is no such account.
        BadField: the reason is empty or cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    account_id = existing(account).account_id
    return [BodiesErased(account_id=account_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)]
