"""Credentials and the origin that they are bound to."""

from uuid import UUID

import msgspec
import pytest

from domain.catalogue import credential as rules
from domain.catalogue.credential import (
    Credential,
    CredentialEvent,
    CredentialRevoked,
    CredentialRotated,
    CredentialStored,
    SealedSecret,
)
from domain.catalogue.provider import DataTerms, Provider, ProviderEnabled
from domain.fact import Stamp
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from domain.secret import Secret
from tests.spec import Spec

AT = Stamp(now_us=5, actor="system")
ID, PROVIDER_ID = UUID(int=1), UUID(int=2)
PROVIDER = Provider(
    provider_id=PROVIDER_ID,
    name="acme",
    dialect="openai",
    usage_dialect="openai",
    base_url="https://api.acme.example/v1",
    data_terms=DataTerms(),
)
MOVED = msgspec.structs.replace(PROVIDER, base_url="https://evil.example/v1")
SPEC: Spec[Credential | None] = Spec(rules.evolve, initial=None)
STORED = CredentialStored(
    credential_id=ID,
    provider_id=PROVIDER_ID,
    origin="https://api.acme.example",
    secret_version=1,
    master_key_id="k1",
    fingerprint="f1",
    occurred_us=5,
    actor="system",
)
ROTATED = CredentialRotated(
    credential_id=ID,
    provider_id=PROVIDER_ID,
    origin="https://evil.example",
    secret_version=2,
    master_key_id="k1",
    fingerprint="f2",
    occurred_us=5,
    actor="system",
)
REVOKED = CredentialRevoked(
    credential_id=ID, provider_id=PROVIDER_ID, reason="leaked", occurred_us=5, actor="system"
)


def store(credential: Credential | None) -> list[CredentialEvent]:
    return rules.store(
        credential,
        credential_id=ID,
        provider=PROVIDER,
        sealed=SealedSecret(secret_version=1, master_key_id="k1", fingerprint="f1"),
        stamp=AT,
    )


def rotate(credential: Credential | None) -> list[CredentialEvent]:
    sealed = SealedSecret(secret_version=2, master_key_id="k1", fingerprint="f2")
    return rules.rotate(credential, provider=MOVED, sealed=sealed, stamp=AT)


def revoke(credential: Credential | None) -> list[CredentialEvent]:
    return rules.revoke(credential, reason="leaked", stamp=AT)


def test_the_log_knows_where_a_secret_is_and_never_the_secret() -> None:
    """A stored credential is bound to the origin of its provider at that moment."""
    SPEC.given().when(store).then(STORED)
    SPEC.given(STORED).when(store).then_refused(AlreadyExists)


def test_a_moved_provider_does_not_get_the_secret() -> None:
    """Threat 7: after a change of host the credential must be entered again; then it fits the new host only."""
    stored, again = SPEC.fold(STORED), SPEC.fold(STORED, ROTATED)
    assert stored is not None
    assert again is not None
    assert stored.fits(PROVIDER)
    assert not stored.fits(MOVED)
    SPEC.given(STORED).when(rotate).then(ROTATED)
    assert again.fits(MOVED)
    assert not again.fits(PROVIDER)


def test_another_path_of_the_same_host_keeps_the_credential() -> None:
    """An origin is scheme, host and port."""
    stored = SPEC.fold(STORED)
    assert stored is not None
    assert stored.fits(msgspec.structs.replace(PROVIDER, base_url="https://api.acme.example/v2"))
    assert not stored.fits(msgspec.structs.replace(PROVIDER, base_url="https://api.acme.example:444/v1"))
    assert not stored.fits(msgspec.structs.replace(PROVIDER, provider_id=UUID(int=3)))


def test_a_revoked_credential_fits_nowhere() -> None:
    """It cannot be rotated back to life; revoking again does nothing."""
    SPEC.given(STORED).when(revoke).then(REVOKED)
    SPEC.given(STORED, REVOKED).when(revoke).then_nothing()
    SPEC.given(STORED, REVOKED).when(rotate).then_refused(WrongState, state="revoked")
    revoked = SPEC.fold(STORED, REVOKED)
    assert revoked is not None
    assert not revoked.fits(PROVIDER)


def test_what_was_never_stored_does_not_exist() -> None:
    """Every decision about it is refused."""
    SPEC.given().when(rotate).then_refused(NotFound)
    SPEC.given().when(revoke).then_refused(NotFound)


@pytest.mark.parametrize("text", ["", "a b", "a\r\nx-injected: 1", "schlüssel", "x" * 8193, "a\x00"])
def test_a_secret_fits_in_a_header(text: str) -> None:
    """What could start another header is refused, and not repeated."""
    with pytest.raises(BadField):
        rules.checked_secret(Secret(text))
    good = Secret("sk-1_2.3")
    assert rules.checked_secret(good) is good


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once."""
    with pytest.raises(AssertionError):
        SPEC.fold(STORED, ProviderEnabled(provider_id=ID, occurred_us=1, actor="system"))
    with pytest.raises(AssertionError):
        SPEC.fold(ROTATED)
