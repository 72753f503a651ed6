"""The condition of a credential, from its facts."""

from uuid import UUID

from domain.fact import Stamp
from domain.health import credential as rules
from domain.health.credential import WELL, Condition, CredentialFailed, CredentialRecovered
from tests.spec import Spec

CREDENTIAL = UUID(int=1)
AT = Stamp(now_us=5, actor="system")
SPEC: Spec[Condition] = Spec(rules.evolve, initial=WELL)


def failed(version: int) -> CredentialFailed:
    return CredentialFailed(
        credential_id=CREDENTIAL,
        secret_version=version,
        cause="auth",
        status=401,
        occurred_us=5,
        actor="system",
    )


RECOVERED = CredentialRecovered(
    credential_id=CREDENTIAL, cause="probe_succeeded", occurred_us=5, actor="system"
)


def fail(condition: Condition, version: int) -> list[rules.ConditionEvent]:
    return rules.fail(
        condition, credential_id=CREDENTIAL, secret_version=version, cause="auth", status=401, stamp=AT
    )


def test_a_refused_secret_is_set_aside_once() -> None:
    """However many requests were under way with it."""
    SPEC.given().when(lambda condition: fail(condition, 1)).then(failed(1))
    SPEC.given(failed(1)).when(lambda condition: fail(condition, 1)).then()
    assert SPEC.fold(failed(1)).is_dead(1)


def test_another_secret_of_the_same_credential_is_tried() -> None:
    """Rotation is how an operator mends it; and the new one can fail too, but a late failure of the old does not count."""
    assert not SPEC.fold(failed(1)).is_dead(2)
    SPEC.given(failed(1)).when(lambda condition: fail(condition, 2)).then(failed(2))
    SPEC.given(failed(2)).when(lambda condition: fail(condition, 1)).then()


def test_it_recovers() -> None:
    """After that it is as if nothing had been."""

    def recover(condition: Condition) -> list[rules.ConditionEvent]:
        return rules.recover(condition, credential_id=CREDENTIAL, cause="probe_succeeded", stamp=AT)

    SPEC.given(failed(3)).when(recover).then(RECOVERED)
    SPEC.given().when(recover).then()
    assert SPEC.fold(failed(3), RECOVERED) == WELL
