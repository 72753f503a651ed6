"""The life of an account."""

from uuid import UUID

import pytest

from domain import accounts
from domain.accounts import (
    Account,
    AccountClosed,
    AccountContactSet,
    AccountLimitsSet,
    AccountOpened,
    AccountPersonalDataErased,
    AccountReinstated,
    AccountSuspended,
)
from domain.fact import Stamp
from domain.keys.events import ApiKeyRevoked
from domain.limits import Limits
from domain.privacy import Sealed
from domain.refusal import BadField, NotFound, WrongState
from tests.spec import Spec

ID = UUID(int=1)
AT = Stamp(now_us=5, actor="system")
SPEC: Spec[Account | None] = Spec(accounts.evolve, initial=None)
OPENED = AccountOpened(account_id=ID, occurred_us=1, actor="system")
SUSPENDED = AccountSuspended(account_id=ID, reason="unpaid", occurred_us=5, actor="system")
REINSTATED = AccountReinstated(account_id=ID, occurred_us=5, actor="system")
CLOSED = AccountClosed(account_id=ID, reason="left", occurred_us=5, actor="system")
LIMITS = Limits(rpm=10)
LIMITED = AccountLimitsSet(account_id=ID, limits=LIMITS, occurred_us=5, actor="system")
PII = Sealed(key_id=UUID(int=9), ciphertext=b"noise")
CONTACT = AccountContactSet(account_id=ID, pii=PII, occurred_us=5, actor="system")
ERASED = AccountPersonalDataErased(
    account_id=ID, key_id=PII.key_id, reason="asked for", occurred_us=5, actor="system"
)


def test_an_account_is_opened_once() -> None:
    """Opening is a fact the first time, and nothing when repeated."""
    opened = AccountOpened(account_id=ID, occurred_us=5, actor="system")
    SPEC.given().when(lambda account: accounts.open_account(account, account_id=ID, stamp=AT)).then(opened)
    SPEC.given(OPENED).when(
        lambda account: accounts.open_account(account, account_id=ID, stamp=AT)
    ).then_nothing()


def test_suspension_is_lifted_by_reinstatement() -> None:
    """Each of both is a fact once; a repeated command changes nothing."""

    def suspend(account: Account | None) -> list[accounts.AccountEvent]:
        return accounts.suspend(account, reason=" unpaid ", stamp=AT)

    def reinstate(account: Account | None) -> list[accounts.AccountEvent]:
        return accounts.reinstate(account, stamp=AT)

    SPEC.given(OPENED).when(suspend).then(SUSPENDED)
    SPEC.given(OPENED, SUSPENDED).when(suspend).then_nothing()
    SPEC.given(OPENED, SUSPENDED).when(reinstate).then(REINSTATED)
    SPEC.given(OPENED, SUSPENDED, REINSTATED).when(reinstate).then_nothing()


def test_a_closed_account_stays_closed() -> None:
    """Nothing but closing it again (which does nothing) can be done to it."""

    def close(account: Account | None) -> list[accounts.AccountEvent]:
        return accounts.close(account, reason="left", stamp=AT)

    SPEC.given(OPENED, SUSPENDED).when(close).then(CLOSED)
    closed = SPEC.given(OPENED, CLOSED)
    closed.when(close).then_nothing()
    closed.when(lambda one: accounts.suspend(one, reason="x", stamp=AT)).then_refused(
        WrongState, kind="account", state="closed"
    )
    closed.when(lambda one: accounts.reinstate(one, stamp=AT)).then_refused(WrongState)
    closed.when(lambda one: accounts.set_limits(one, limits=LIMITS, stamp=AT)).then_refused(WrongState)


def test_limits_replace_the_earlier_ones() -> None:
    """Setting the same limits again does nothing; limits that cannot be used are refused."""
    SPEC.given(OPENED).when(lambda one: accounts.set_limits(one, limits=LIMITS, stamp=AT)).then(LIMITED)
    limited = SPEC.given(OPENED, LIMITED)
    limited.when(lambda one: accounts.set_limits(one, limits=LIMITS, stamp=AT)).then_nothing()
    limited.when(lambda one: accounts.set_limits(one, limits=Limits(rpm=0), stamp=AT)).then_refused(
        BadField, field="rpm"
    )


def test_what_was_never_opened_does_not_exist() -> None:
    """Every decision about it is refused."""
    nothing = SPEC.given()
    nothing.when(lambda one: accounts.suspend(one, reason="x", stamp=AT)).then_refused(NotFound)
    nothing.when(lambda one: accounts.reinstate(one, stamp=AT)).then_refused(NotFound)
    nothing.when(lambda one: accounts.close(one, reason="x", stamp=AT)).then_refused(NotFound)
    nothing.when(lambda one: accounts.set_limits(one, limits=LIMITS, stamp=AT)).then_refused(NotFound)


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "a\u202eb", "a\x00b", "x" * 501])
def test_a_reason_is_given_in_plain_text(reason: str) -> None:
    """Empty reasons, and those that would break a log line, are refused."""
    SPEC.given(OPENED).when(lambda one: accounts.suspend(one, reason=reason, stamp=AT)).then_refused(
        BadField, field="reason"
    )


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once, and so is a stream without its first fact."""
    foreign = ApiKeyRevoked(key_id=ID, reason="x", occurred_us=1, actor="system")
    with pytest.raises(AssertionError):
        SPEC.fold(OPENED, foreign)
    with pytest.raises(AssertionError):
        SPEC.fold(SUSPENDED)


def erase(account: Account | None) -> list[accounts.AccountEvent]:
    return accounts.note_erasure(account, key_id=PII.key_id, reason=" asked for ", stamp=AT)


def test_a_contact_stands_in_the_log_as_an_envelope() -> None:
    """Who may still be served may have one; it replaces the one before."""

    def contact(account: Account | None) -> list[accounts.AccountEvent]:
        return accounts.set_contact(account, pii=PII, stamp=AT)

    SPEC.given(OPENED).when(contact).then(CONTACT)
    SPEC.given(OPENED, SUSPENDED, CONTACT).when(contact).then(CONTACT)
    SPEC.given(OPENED, CLOSED).when(contact).then_refused(WrongState)
    SPEC.given().when(contact).then_refused(NotFound)


def test_an_erasure_is_recorded_once_and_last() -> None:
    """Only of a closed account: no other could be kept from getting new data."""
    SPEC.given(OPENED, CONTACT, CLOSED).when(erase).then(ERASED)
    SPEC.given(OPENED, CONTACT, CLOSED, ERASED).when(erase).then_nothing()
    SPEC.given(OPENED, CONTACT).when(erase).then_refused(WrongState)
    SPEC.given().when(erase).then_refused(NotFound)
    SPEC.given(OPENED, CLOSED).when(
        lambda account: accounts.note_erasure(account, key_id=None, reason=" ", stamp=AT)
    ).then_refused(BadField)


def test_an_erased_account_has_no_contact() -> None:
    """The envelope is noise now; nothing points to it."""
    erased = SPEC.fold(OPENED, CONTACT, CLOSED, ERASED)
    assert erased == Account(account_id=ID, status="closed", contact=None, erased=True)
