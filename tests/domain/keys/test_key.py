"""The life of an API key."""

from uuid import UUID

import pytest

from domain.accounts import Account, AccountOpened
from domain.fact import Stamp
from domain.keys import key as rules
from domain.keys.events import (
    ApiKeyExpirySet,
    ApiKeyIssued,
    ApiKeyLimitsSet,
    ApiKeyRevoked,
    ApiKeyRotated,
    KeyEvent,
    KeySecretClaimed,
)
from domain.keys.key import ApiKey, KeySecret
from domain.keys.secret import SecretRecord
from domain.limits import NO_LIMITS, Limits
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from tests.spec import Spec

ID, ACCOUNT_ID = UUID(int=1), UUID(int=2)
AT = Stamp(now_us=5_000_000, actor="system")
ACCOUNT = Account(account_id=ACCOUNT_ID, limits=Limits(models=("a", "b")))
SPEC: Spec[ApiKey | None] = Spec(rules.evolve, initial=None)
FIRST = SecretRecord(secret_hash="aa", prefix="tk_live_1111")
SECOND = SecretRecord(secret_hash="bb", prefix="tk_live_2222")
ISSUED = ApiKeyIssued(
    key_id=ID,
    account_id=ACCOUNT_ID,
    prefix=FIRST.prefix,
    secret_hash=FIRST.secret_hash,
    limits=NO_LIMITS,
    occurred_us=5_000_000,
    actor="system",
)
ROTATED = ApiKeyRotated(
    key_id=ID,
    prefix=SECOND.prefix,
    secret_hash=SECOND.secret_hash,
    overlap_until_us=65_000_000,
    occurred_us=5_000_000,
    actor="system",
)
REVOKED = ApiKeyRevoked(key_id=ID, reason="leaked", occurred_us=5_000_000, actor="system")


def issue(
    key: ApiKey | None,
    *,
    account: Account = ACCOUNT,
    limits: Limits = NO_LIMITS,
    expires_us: int | None = None,
) -> list[KeyEvent]:
    return rules.issue(
        key,
        key_id=ID,
        account=account,
        secret=FIRST,
        limits=limits,
        expires_us=expires_us,
        imported=False,
        stamp=AT,
    )


def rotate(key: ApiKey | None, *, overlap_s: int = 60) -> list[KeyEvent]:
    return rules.rotate(key, secret=SECOND, overlap_s=overlap_s, stamp=AT)


def test_a_key_is_issued_to_an_open_account() -> None:
    """Its id is used once, and a suspended account gets none."""
    SPEC.given().when(issue).then(ISSUED)
    SPEC.given(ISSUED).when(issue).then_refused(AlreadyExists)
    suspended = Account(account_id=ACCOUNT_ID, status="suspended")
    SPEC.given().when(lambda key: issue(key, account=suspended)).then_refused(WrongState, state="suspended")


def test_a_key_has_no_more_scope_than_its_account() -> None:
    """At issue and at a later change of limits."""
    wide = Limits(models=("a", "c"))
    SPEC.given().when(lambda key: issue(key, limits=wide)).then_refused(BadField, field="models")
    SPEC.given(ISSUED).when(
        lambda key: rules.set_limits(key, account=ACCOUNT, limits=wide, stamp=AT)
    ).then_refused(BadField, field="models")


@pytest.mark.parametrize("expires_us", [0, 5_000_000, 2**63])
def test_a_key_expires_in_the_future(expires_us: int) -> None:
    """A time that has passed, or that no database can hold, is refused."""
    SPEC.given().when(lambda key: issue(key, expires_us=expires_us)).then_refused(BadField)
    SPEC.given(ISSUED).when(lambda key: rules.set_expiry(key, expires_us=expires_us, stamp=AT)).then_refused(
        BadField, field="expires_us"
    )


def test_the_old_secret_works_on_for_the_overlap() -> None:
    """After a rotation both secrets open the key, the old one until a fixed time."""
    SPEC.given(ISSUED).when(rotate).then(ROTATED)
    key = SPEC.fold(ISSUED, ROTATED)
    assert key is not None
    assert key.secrets == (
        KeySecret(secret_hash="bb", prefix="tk_live_2222"),
        KeySecret(secret_hash="aa", prefix="tk_live_1111", valid_until_us=65_000_000),
    )


def test_a_second_rotation_ends_the_oldest_secret() -> None:
    """At most two secrets open a key."""
    third = ApiKeyRotated(
        key_id=ID, prefix="p", secret_hash="cc", overlap_until_us=9, occurred_us=6, actor="system"
    )
    key = SPEC.fold(ISSUED, ROTATED, third)
    assert key is not None
    assert [secret.secret_hash for secret in key.secrets] == ["cc", "bb"]


@pytest.mark.parametrize("overlap_s", [-1, 30 * 24 * 3600 + 1])
def test_an_overlap_is_bounded(overlap_s: int) -> None:
    """No secret lives on for ever after it was replaced."""
    SPEC.given(ISSUED).when(lambda key: rotate(key, overlap_s=overlap_s)).then_refused(
        BadField, field="overlap_s"
    )


def test_limits_and_expiry_are_replaced() -> None:
    """Setting what is set already does nothing; no expiry means never."""
    limits = Limits(rpm=3)
    limited = ApiKeyLimitsSet(key_id=ID, limits=limits, occurred_us=5_000_000, actor="system")
    expiring = ApiKeyExpirySet(key_id=ID, expires_us=9_000_000, occurred_us=5_000_000, actor="system")
    lifted = ApiKeyExpirySet(key_id=ID, expires_us=None, occurred_us=5_000_000, actor="system")

    def limit(key: ApiKey | None) -> list[KeyEvent]:
        return rules.set_limits(key, account=ACCOUNT, limits=limits, stamp=AT)

    def expire(key: ApiKey | None) -> list[KeyEvent]:
        return rules.set_expiry(key, expires_us=9_000_000, stamp=AT)

    SPEC.given(ISSUED).when(limit).then(limited)
    SPEC.given(ISSUED, limited).when(limit).then_nothing()
    SPEC.given(ISSUED).when(expire).then(expiring)
    SPEC.given(ISSUED, expiring).when(expire).then_nothing()
    SPEC.given(ISSUED, expiring).when(lambda key: rules.set_expiry(key, expires_us=None, stamp=AT)).then(
        lifted
    )


def test_a_revoked_key_is_dead_for_good() -> None:
    """No secret is left, nothing can be changed, and revoking again does nothing."""

    def revoke(key: ApiKey | None) -> list[KeyEvent]:
        return rules.revoke(key, reason="leaked", stamp=AT)

    SPEC.given(ISSUED).when(revoke).then(REVOKED)
    revoked = SPEC.given(ISSUED, ROTATED, REVOKED)
    revoked.when(revoke).then_nothing()
    revoked.when(rotate).then_refused(WrongState, state="revoked")
    revoked.when(lambda key: rules.set_expiry(key, expires_us=None, stamp=AT)).then_refused(WrongState)
    key = SPEC.fold(ISSUED, ROTATED, REVOKED)
    assert key is not None
    assert key.secrets == ()


def test_what_was_never_issued_does_not_exist() -> None:
    """Every decision about it is refused."""
    SPEC.given().when(rotate).then_refused(NotFound)
    SPEC.given().when(lambda key: rules.revoke(key, reason="x", stamp=AT)).then_refused(NotFound)


def test_one_secret_is_one_stream() -> None:
    """The claim of a secret is version 1 of a stream named after its hash, whoever claims it."""
    assert rules.secret_stream("aa") == rules.secret_stream("aa") != rules.secret_stream("bb")
    assert rules.claim(key_id=ID, stamp=AT) == KeySecretClaimed(
        key_id=ID, occurred_us=5_000_000, actor="system"
    )


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once."""
    with pytest.raises(AssertionError):
        SPEC.fold(ISSUED, AccountOpened(account_id=ID, occurred_us=1, actor="system"))
    with pytest.raises(AssertionError):
        SPEC.fold(REVOKED)
