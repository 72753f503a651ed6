"""Accounts: who may spend, how fast, and whether at all. The money is in the account's wallet stream.

The stream's id is the account's id. The customer's name is kept outside the log, where it can be
erased; whom to write to stands in it sealed.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.limits import NO_LIMITS, Limits, checked_limits
from domain.privacy import Sealed
from domain.refusal import NotFound, WrongState
from domain.text import REASON_CHARS_MAX, printable

AccountStatus = Literal["open", "suspended", "closed"]


class AccountOpened(Fact, frozen=True, kw_only=True):
    """A customer may hold credit and keys from now on."""

    TOPIC: ClassVar[str] = "account.opened.v1"

    account_id: UUID


class AccountLimitsSet(Fact, frozen=True, kw_only=True):
    """The limits of all the account's keys together; they replace the earlier ones."""

    TOPIC: ClassVar[str] = "account.limits-set.v1"

    account_id: UUID
    limits: Limits


class AccountSuspended(Fact, frozen=True, kw_only=True):
    """The account's keys are refused until it is reinstated; its credit stays."""

    TOPIC: ClassVar[str] = "account.suspended.v1"

    account_id: UUID
    reason: str


class AccountReinstated(Fact, frozen=True, kw_only=True):
    """The account's keys work again."""

    TOPIC: ClassVar[str] = "account.reinstated.v1"

    account_id: UUID


class AccountClosed(Fact, frozen=True, kw_only=True):
    """The account has ended for good; its keys are refused for ever."""

    TOPIC: ClassVar[str] = "account.closed.v1"

    account_id: UUID
    reason: str


class AccountContactSet(Fact, frozen=True, kw_only=True):
    """Whom to write to; it replaces the contact before."""

    TOPIC: ClassVar[str] = "account.contact-set.v1"

    account_id: UUID
    pii: Sealed


class AccountPersonalDataErased(Fact, frozen=True, kw_only=True):
    """The key of the account's personal data is destroyed and its names are deleted: every envelope of it is noise."""

    TOPIC: ClassVar[str] = "account.personal-data-erased.v1"

    account_id: UUID
    key_id: UUID | None  #: none if nothing was ever sealed for the account
    reason: str


AccountEvent = (
    AccountOpened
    | AccountLimitsSet
    | AccountSuspended
    | AccountReinstated
    | AccountClosed
    | AccountContactSet
    | AccountPersonalDataErased
)
ACCOUNT_EVENTS: tuple[type[Fact], ...] = (
    AccountOpened,
    AccountLimitsSet,
    AccountSuspended,
    AccountReinstated,
    AccountClosed,
    AccountContactSet,
    AccountPersonalDataErased,
)


_STATUS_AFTER: Final[dict[type[AccountEvent], AccountStatus]] = {
    AccountSuspended: "suspended",
    AccountReinstated: "open",
    AccountClosed: "closed",
}


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of an account stream."""

    account_id: UUID
    status: AccountStatus = "open"
    limits: Limits = NO_LIMITS
    contact: Sealed | None = None
    erased: bool = False


def evolve(account: Account | None, event: AccountEvent) -> Account:
    """The account after one more fact."""
    if isinstance(event, AccountOpened):
        return Account(account_id=event.account_id)
    assert account is not None, "an account stream starts with AccountOpened"
    match event:
        case AccountLimitsSet():
            return msgspec.structs.replace(account, limits=event.limits)
        case AccountSuspended() | AccountReinstated() | AccountClosed():
            return msgspec.structs.replace(account, status=_STATUS_AFTER[type(event)])
        case AccountContactSet():
            return msgspec.structs.replace(account, contact=event.pii)
        case AccountPersonalDataErased():
            return msgspec.structs.replace(account, contact=None, erased=True)
        case _:
            assert_never(event)


def open_account(account: Account | None, *, account_id: UUID, stamp: Stamp) -> list[AccountEvent]:
    """Open an account; opening it again does nothing."""
    if account is not None:
        return []
    return [AccountOpened(account_id=account_id, occurred_us=stamp.now_us, actor=stamp.actor)]


def set_limits(account: Account | None, *, limits: Limits, stamp: Stamp) -> list[AccountEvent]:
    """Replace the account's limits.

    Raises:
        NotFound, WrongState: there is no such account, or it is closed.
        BadField: a limit cannot be used.
    """
    account = not_closed(account)
    limits = checked_limits(limits)
    if limits == account.limits:
        return []
    return [
        AccountLimitsSet(
            account_id=account.account_id, limits=limits, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def suspend(account: Account | None, *, reason: str, stamp: Stamp) -> list[AccountEvent]:
    """Refuse the account's keys for a while; suspending twice does nothing.

    Raises:
        NotFound, WrongState: there is no such account, or it is closed.
        BadField: the reason is empty or cannot be shown.
    """
    account = not_closed(account)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if account.status == "suspended":
        return []
    return [
        AccountSuspended(
            account_id=account.account_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def reinstate(account: Account | None, *, stamp: Stamp) -> list[AccountEvent]:
    """Let a suspended account's keys work again; an open one stays as it is.

    Raises:
        NotFound, WrongState: there is no such account, or it is closed.
    """
    account = not_closed(account)
    if account.status == "open":
        return []
    return [AccountReinstated(account_id=account.account_id, occurred_us=stamp.now_us, actor=stamp.actor)]


def close(account: Account | None, *, reason: str, stamp: Stamp) -> list[AccountEvent]:
    """End the account for good; closing twice does nothing. Its credit stays where it is.

    Raises:
        NotFound: there is no such account.
        BadField: the reason is empty or cannot be shown.
    """
    account = existing(account)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if account.status == "closed":
        return []
    return [
        AccountClosed(
            account_id=account.account_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def set_contact(account: Account | None, *, pii: Sealed, stamp: Stamp) -> list[AccountEvent]:
    """Replace the account's contact. Envelopes do not compare: the same contact again is stored again.

    Raises:
        NotFound, WrongState: there is no such account, or it is closed.
    """
    account = not_closed(account)
    return [
        AccountContactSet(account_id=account.account_id, pii=pii, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def note_erasure(
    account: Account | None, *, key_id: UUID | None, reason: str, stamp: Stamp
) -> list[AccountEvent]:
    """Record that the account's personal data is gone, once. It is a fact, so the data must be gone by now.

    Raises:
        NotFound, WrongState: there is no such account, or it is not closed and may get new data.
        BadField: the reason is empty or cannot be shown.
    """
    account = existing(account)
    if account.status != "closed":
        raise WrongState("account", account.status)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if account.erased:
        return []
    return [
        AccountPersonalDataErased(
            account_id=account.account_id,
            key_id=key_id,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def existing(account: Account | None) -> Account:
    """The account, or `NotFound`."""
    if account is None:
        raise NotFound("account")
    return account


def not_closed(account: Account | None) -> Account:
    """The account, or `NotFound`, or `WrongState` when it is closed."""
    account = existing(account)
    if account.status == "closed":
        raise WrongState("account", account.status)
    return account
