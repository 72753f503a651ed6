"""Deployments."""

from uuid import UUID

import msgspec
import pytest

from domain.catalogue import deployment as rules
from domain.catalogue.credential import Credential
from domain.catalogue.deployment import (
    Deployment,
    DeploymentAdded,
    DeploymentChanged,
    DeploymentDisabled,
    DeploymentEnabled,
    DeploymentEvent,
)
from domain.catalogue.deployment_spec import DeploymentSpec, Details, Timeouts
from domain.catalogue.provider import DataTerms, Provider, ProviderEnabled
from domain.fact import Stamp
from domain.refusal import AlreadyExists, BadField, NotFound
from tests.spec import Spec

AT = Stamp(now_us=5, actor="system")
ID, PROVIDER_ID, CREDENTIAL_ID = UUID(int=1), UUID(int=2), UUID(int=3)
PROVIDER = Provider(
    provider_id=PROVIDER_ID,
    name="acme",
    dialect="openai",
    usage_dialect="openai",
    base_url="https://api.acme.example/v1",
    data_terms=DataTerms(),
)
CREDENTIAL = Credential(
    credential_id=CREDENTIAL_ID,
    provider_id=PROVIDER_ID,
    origin="https://api.acme.example",
    secret_version=1,
    fingerprint="f",
)
MODEL = DeploymentSpec(
    credential_id=CREDENTIAL_ID, upstream_model="big-1", context_tokens=1000, output_tokens_max=100
)
SPEC: Spec[Deployment | None] = Spec(rules.evolve, initial=None)
ADDED = DeploymentAdded(deployment_id=ID, provider_id=PROVIDER_ID, spec=MODEL, occurred_us=5, actor="system")
LARGER = msgspec.structs.replace(MODEL, output_tokens_max=200, output_field="max_completion_tokens")
CHANGED = DeploymentChanged(deployment_id=ID, spec=LARGER, occurred_us=5, actor="system")
DISABLED = DeploymentDisabled(deployment_id=ID, reason="slow", occurred_us=5, actor="system")
ENABLED = DeploymentEnabled(deployment_id=ID, occurred_us=5, actor="system")


def add(
    deployment: Deployment | None,
    spec: DeploymentSpec = MODEL,
    *,
    credential: Credential | None = CREDENTIAL,
) -> list[DeploymentEvent]:
    return rules.add(
        deployment,
        deployment_id=ID,
        provider=PROVIDER,
        credentials={} if credential is None else {CREDENTIAL_ID: credential},
        spec=spec,
        stamp=AT,
    )


def change(deployment: Deployment | None, spec: DeploymentSpec = LARGER) -> list[DeploymentEvent]:
    return rules.change(
        deployment, provider=PROVIDER, credentials={CREDENTIAL_ID: CREDENTIAL}, spec=spec, stamp=AT
    )


def test_a_deployment_is_added_once() -> None:
    """The same again does nothing; its id with other settings is refused."""
    SPEC.given().when(add).then(ADDED)
    SPEC.given(ADDED).when(add).then_nothing()
    SPEC.given(ADDED).when(lambda one: add(one, LARGER)).then_refused(AlreadyExists)


def test_settings_are_replaced() -> None:
    """A change to what is set already does nothing."""
    SPEC.given(ADDED).when(change).then(CHANGED)
    SPEC.given(ADDED, CHANGED).when(change).then_nothing()


def test_a_deployment_uses_a_credential_of_its_own_provider() -> None:
    """One that does not exist, is revoked, or belongs elsewhere, is as good as none; no secret at all is allowed."""
    for credential in (
        None,
        msgspec.structs.replace(CREDENTIAL, revoked=True),
        msgspec.structs.replace(CREDENTIAL, provider_id=UUID(int=9)),
        msgspec.structs.replace(CREDENTIAL, origin="https://old.acme.example"),
    ):
        with pytest.raises(NotFound):
            add(None, credential=credential)
    open_upstream = msgspec.structs.replace(MODEL, credential_id=None)
    assert len(add(None, open_upstream, credential=None)) == 1


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("context_tokens", msgspec.structs.replace(MODEL, context_tokens=0)),
        ("output_tokens_max", msgspec.structs.replace(MODEL, output_tokens_max=10**9)),
        ("image_tokens_max", msgspec.structs.replace(MODEL, details=Details(image_tokens_max=0))),
        ("serves", msgspec.structs.replace(MODEL, details=Details(serves=()))),
        ("traits", msgspec.structs.replace(MODEL, details=Details(traits=("A b",)))),
        ("passes", msgspec.structs.replace(MODEL, details=Details(passes=("",)))),
        (
            "more_credential_ids",
            msgspec.structs.replace(MODEL, details=Details(more_credential_ids=(CREDENTIAL_ID,))),
        ),
        (
            "more_credential_ids",
            msgspec.structs.replace(
                MODEL, credential_id=None, details=Details(more_credential_ids=(CREDENTIAL_ID,))
            ),
        ),
        ("idle_ms", msgspec.structs.replace(MODEL, timeouts=Timeouts(idle_ms=0))),
        ("total_ms", msgspec.structs.replace(MODEL, timeouts=Timeouts(total_ms=10**8))),
        ("bytes_s_min", msgspec.structs.replace(MODEL, timeouts=Timeouts(bytes_s_min=0))),
        ("bytes_s_min", msgspec.structs.replace(MODEL, timeouts=Timeouts(bytes_s_min=10**10))),
        (
            "bytes_window_ms",
            msgspec.structs.replace(MODEL, timeouts=Timeouts(bytes_s_min=1, bytes_window_ms=0)),
        ),
        ("bytes_window_ms", msgspec.structs.replace(MODEL, timeouts=Timeouts(bytes_window_ms=1_000))),
        ("upstream_model", msgspec.structs.replace(MODEL, upstream_model="a\x00")),
    ],
)
def test_bounds_are_checked(field: str, spec: DeploymentSpec) -> None:
    """When it is added and when it is changed."""
    SPEC.given().when(lambda one: add(one, spec)).then_refused(BadField, field=field)
    SPEC.given(ADDED).when(lambda one: change(one, spec)).then_refused(BadField, field=field)


def test_a_deployment_is_disabled_and_enabled() -> None:
    """Each is a fact once."""

    def disable(deployment: Deployment | None) -> list[DeploymentEvent]:
        return rules.disable(deployment, reason="slow", stamp=AT)

    def enable(deployment: Deployment | None) -> list[DeploymentEvent]:
        return rules.enable(deployment, stamp=AT)

    SPEC.given(ADDED).when(disable).then(DISABLED)
    SPEC.given(ADDED, DISABLED).when(disable).then_nothing()
    SPEC.given(ADDED, DISABLED).when(enable).then(ENABLED)
    SPEC.given(ADDED, DISABLED, ENABLED).when(enable).then_nothing()
    SPEC.given().when(enable).then_refused(NotFound)
    SPEC.given().when(disable).then_refused(NotFound)
    SPEC.given().when(change).then_refused(NotFound)


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once."""
    with pytest.raises(AssertionError):
        SPEC.fold(ADDED, ProviderEnabled(provider_id=ID, occurred_us=1, actor="system"))
    with pytest.raises(AssertionError):
        SPEC.fold(ENABLED)


def test_the_details_of_a_deployment_are_kept_once_and_in_order() -> None:
    """And none at all leave no trace: an event of before reads and writes the same."""
    details = Details(passes=("tools", "models", "tools"), traits=("b", "a"), serves=("responses", "chat"))
    (added,) = add(None, msgspec.structs.replace(MODEL, details=details))
    assert isinstance(added, DeploymentAdded)
    assert added.spec.detail == Details(
        passes=("models", "tools"), traits=("a", "b"), serves=("chat", "responses")
    )
    assert add(None, msgspec.structs.replace(MODEL, details=Details())) == [ADDED]
    assert b"details" not in msgspec.json.encode(ADDED)


@pytest.mark.parametrize(
    "names", [("",), ("Tools",), ("a b",), ("a" * 65,), tuple(f"a{n}" for n in range(65))]
)
def test_what_a_deployment_passes_on_are_names_of_members(names: tuple[str, ...]) -> None:
    """And not too many."""
    with pytest.raises(BadField):
        add(None, msgspec.structs.replace(MODEL, details=Details(passes=names)))
