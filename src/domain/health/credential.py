"""The condition of a credential at its provider: one stream a credential.

A provider that refuses the secret, or whose account is out of money, will refuse the next request too. So the credential
is set aside everywhere until a probe with it succeeds, it is rotated, or an operator says so.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ids import stream_of

_CONDITIONS: Final = UUID("7b1d40c3-5e86-53fa-b0a9-64c2e8f31d77")

FailureCause = Literal["auth", "funds"]
RecoveryCause = Literal["probe_succeeded", "request_succeeded", "rotated", "operator"]


class CredentialFailed(Fact, frozen=True, kw_only=True):
    """The provider does not serve this credential: no request uses it until it recovers."""

    TOPIC: ClassVar[str] = "credential-health.failed.v1"

    credential_id: UUID
    secret_version: int
    cause: FailureCause
    status: int  #: the provider's HTTP status


class CredentialRecovered(Fact, frozen=True, kw_only=True):
    """The provider serves this credential again."""

    TOPIC: ClassVar[str] = "credential-health.recovered.v1"

    credential_id: UUID
    cause: RecoveryCause


ConditionEvent = CredentialFailed | CredentialRecovered
CONDITION_EVENTS: tuple[type[Fact], ...] = (CredentialFailed, CredentialRecovered)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a credential's condition. A failure concerns the secret that failed and none after it."""

    failed_version: int = 0
    cause: FailureCause | None = None
    since_us: int = 0

    def is_dead(self, secret_version: int) -> bool:
        """Whether this secret of the credential is set aside."""
        return self.cause is not None and secret_version <= self.failed_version


WELL: Final = Condition()


def condition_stream(credential_id: UUID) -> UUID:
    """One credential, one stream."""
    return stream_of(_CONDITIONS, str(credential_id))


def evolve(condition: Condition, event: ConditionEvent) -> Condition:
    """The condition after one more fact."""
    match event:
        case CredentialFailed():
            version = max(condition.failed_version, event.secret_version)
            return Condition(failed_version=version, cause=event.cause, since_us=event.occurred_us)
        case CredentialRecovered():
            return WELL
        case _:
            assert_never(event)


def fail(
    condition: Condition,
    *,
    credential_id: UUID,
    secret_version: int,
    cause: FailureCause,
    status: int,
    stamp: Stamp,
) -> list[ConditionEvent]:
    """Set it aside; what is set aside already stays so."""
    if condition.is_dead(secret_version):
        return []
    return [
        CredentialFailed(
            credential_id=credential_id,
            secret_version=secret_version,
            cause=cause,
            status=status,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def recover(
    condition: Condition, *, credential_id: UUID, cause: RecoveryCause, stamp: Stamp
) -> list[ConditionEvent]:
    """Use it again; one that is well stays so."""
    if condition.cause is None:
        return []
    return [
        CredentialRecovered(
            credential_id=credential_id, cause=cause, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]
