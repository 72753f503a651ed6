"""Credentials: our secrets at providers. The log knows where one is kept and for which origin, never the secret.

A credential is used only at the origin it was entered for: pointing a provider at another host kills its
credentials until someone who knows the secret enters it again.
"""

from typing import ClassVar, assert_never
from uuid import UUID

import msgspec

from domain.catalogue.base_url import parse_base_url
from domain.catalogue.provider import Provider
from domain.fact import Fact, Stamp
from domain.refusal import AlreadyExists, BadField, NotFound, Refusal, WrongState
from domain.secret import Secret
from domain.text import REASON_CHARS_MAX, printable

SECRET_CHARS_MAX = 8_192


class SecretRefused(Refusal):
    """The provider says that it knows no such secret. Nothing was stored."""

    code: ClassVar[str] = "secret_refused"

    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} refuses the secret")
        self.provider = provider


class CredentialStored(Fact, frozen=True, kw_only=True):
    """A secret for a provider is in the vault."""

    TOPIC: ClassVar[str] = "credential.stored.v1"

    credential_id: UUID
    provider_id: UUID
    origin: str  #: scheme, host and port that the secret was entered for
    secret_version: int
    master_key_id: str  #: which master key sealed it at that time
    fingerprint: str  #: keyed, short; tells two secrets apart and gives none away


class CredentialRotated(Fact, frozen=True, kw_only=True):
    """The credential has another secret, or the same one entered for another origin."""

    TOPIC: ClassVar[str] = "credential.rotated.v1"

    credential_id: UUID
    provider_id: UUID
    origin: str
    secret_version: int
    master_key_id: str
    fingerprint: str


class CredentialRevoked(Fact, frozen=True, kw_only=True):
    """The credential is used no more, for good."""

    TOPIC: ClassVar[str] = "credential.revoked.v1"

    credential_id: UUID
    provider_id: UUID
    reason: str


CredentialEvent = CredentialStored | CredentialRotated | CredentialRevoked
CREDENTIAL_EVENTS: tuple[type[Fact], ...] = (CredentialStored, CredentialRotated, CredentialRevoked)


class SealedSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What the vault tells of a secret that it has just stored."""

    secret_version: int
    master_key_id: str
    fingerprint: str


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a credential stream."""

    credential_id: UUID
    provider_id: UUID
    origin: str
    secret_version: int
    fingerprint: str
    revoked: bool = False

    def fits(self, provider: Provider) -> bool:
        """Whether the secret may be sent to where the provider is now."""
        at_home = provider.provider_id == self.provider_id
        return at_home and not self.revoked and parse_base_url(provider.base_url).origin == self.origin


def evolve(credential: Credential | None, event: CredentialEvent) -> Credential:
    """The credential after one more fact."""
    if isinstance(event, CredentialStored):
        return Credential(
            credential_id=event.credential_id,
            provider_id=event.provider_id,
            origin=event.origin,
            secret_version=event.secret_version,
            fingerprint=event.fingerprint,
        )
    assert credential is not None, "a credential stream starts with CredentialStored"
    match event:
        case CredentialRotated():
            return msgspec.structs.replace(
                credential,
                origin=event.origin,
                secret_version=event.secret_version,
                fingerprint=event.fingerprint,
            )
        case CredentialRevoked():
            return msgspec.structs.replace(credential, revoked=True)
        case _:
            assert_never(event)


def checked_secret(secret: Secret) -> Secret:
    """A secret that can stand in a header.

    Raises:
        BadField: it is empty, too long, or has blanks or characters outside printable ASCII.
    """
    text = secret.reveal()
    if not 1 <= len(text) <= SECRET_CHARS_MAX:
        raise BadField("secret", f"must have 1 to {SECRET_CHARS_MAX} characters")
    if not all("!" <= character <= "~" for character in text):
        raise BadField("secret", "must be printable ASCII without blanks")
    return secret


def store(
    credential: Credential | None,
    *,
    credential_id: UUID,
    provider: Provider,
    sealed: SealedSecret,
    stamp: Stamp,
) -> list[CredentialEvent]:
    """Record a new credential for where the provider is now.

    Raises:
        AlreadyExists: the credential id is in use.
    """
    if credential is not None:
        raise AlreadyExists("credential", credential_id)
    return [
        CredentialStored(
            credential_id=credential_id,
            provider_id=provider.provider_id,
            origin=parse_base_url(provider.base_url).origin,
            secret_version=sealed.secret_version,
            master_key_id=sealed.master_key_id,
            fingerprint=sealed.fingerprint,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def rotate(
    credential: Credential | None, *, provider: Provider, sealed: SealedSecret, stamp: Stamp
) -> list[CredentialEvent]:
    """Record another secret, entered for where the provider is now.

    Raises:
        NotFound, WrongState: there is no such credential, or it is revoked.
    """
    credential = alive(credential)
    return [
        CredentialRotated(
            credential_id=credential.credential_id,
            provider_id=credential.provider_id,
            origin=parse_base_url(provider.base_url).origin,
            secret_version=sealed.secret_version,
            master_key_id=sealed.master_key_id,
            fingerprint=sealed.fingerprint,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def revoke(credential: Credential | None, *, reason: str, stamp: Stamp) -> list[CredentialEvent]:
    """Use the credential no more; revoking twice does nothing.

    Raises:
        NotFound: there is no such credential.
        BadField: the reason is empty or cannot be shown.
    """
    if credential is None:
        raise NotFound("credential")
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if credential.revoked:
        return []
    return [
        CredentialRevoked(
            credential_id=credential.credential_id,
            provider_id=credential.provider_id,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def sendable(credential: Credential, provider: Provider) -> Credential:
    """The credential, or `WrongState` when it was entered for another place than where the provider is."""
    if not credential.fits(provider):
        raise WrongState("credential", "for another host")
    return credential


def alive(credential: Credential | None) -> Credential:
    """The credential, or `NotFound`, or `WrongState` when it is revoked."""
    if credential is None:
        raise NotFound("credential")
    if credential.revoked:
        raise WrongState("credential", "revoked")
    return credential
