"""Deployments: one model at one provider with one credential."""

import re
from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.catalogue.credential import Credential
from domain.catalogue.provider import Provider
from domain.fact import Fact, Stamp
from domain.refusal import AlreadyExists, BadField, NotFound
from domain.text import REASON_CHARS_MAX, printable

OutputField = Literal["max_tokens", "max_completion_tokens"]
TOKENS_MAX: Final = 100_000_000
TIMEOUT_MS_MAX: Final = 3_600_000
PASSES_MAX: Final = 64
_MEMBER: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Timeouts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Milliseconds; none means the server's setting."""

    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None
    total_ms: int | None = None


class DeploymentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a deployment that can change."""

    credential_id: UUID | None = None  #: none for an upstream that asks for no secret
    upstream_model: str
    context_tokens: int  #: prompt and answer together
    output_tokens_max: int
    output_field: OutputField = "max_tokens"  #: how this upstream calls the bound of the answer
    timeouts: Timeouts = Timeouts()
    passes: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Members of requests that cost extra at the provider and that this model's price covers; unset: none."""


class DeploymentAdded(Fact, frozen=True, kw_only=True):
    """A model at a provider can stand in routes from now on."""

    TOPIC: ClassVar[str] = "deployment.added.v1"

    deployment_id: UUID
    provider_id: UUID
    spec: DeploymentSpec


class DeploymentChanged(Fact, frozen=True, kw_only=True):
    """The deployment's settings; they replace the earlier ones."""

    TOPIC: ClassVar[str] = "deployment.changed.v1"

    deployment_id: UUID
    spec: DeploymentSpec


class DeploymentDisabled(Fact, frozen=True, kw_only=True):
    """Routes pass over this deployment until it is enabled."""

    TOPIC: ClassVar[str] = "deployment.disabled.v1"

    deployment_id: UUID
    reason: str


class DeploymentEnabled(Fact, frozen=True, kw_only=True):
    """Routes use this deployment again."""

    TOPIC: ClassVar[str] = "deployment.enabled.v1"

    deployment_id: UUID


DeploymentEvent = DeploymentAdded | DeploymentChanged | DeploymentDisabled | DeploymentEnabled
DEPLOYMENT_EVENTS: tuple[type[Fact], ...] = (
    DeploymentAdded,
    DeploymentChanged,
    DeploymentDisabled,
    DeploymentEnabled,
)


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a deployment stream."""

    deployment_id: UUID
    provider_id: UUID
    spec: DeploymentSpec
    disabled: bool = False


def evolve(deployment: Deployment | None, event: DeploymentEvent) -> Deployment:
    """The deployment after one more fact."""
    if isinstance(event, DeploymentAdded):
        return Deployment(deployment_id=event.deployment_id, provider_id=event.provider_id, spec=event.spec)
    assert deployment is not None, "a deployment stream starts with DeploymentAdded"
    match event:
        case DeploymentChanged():
            return msgspec.structs.replace(deployment, spec=event.spec)
        case DeploymentDisabled():
            return msgspec.structs.replace(deployment, disabled=True)
        case DeploymentEnabled():
            return msgspec.structs.replace(deployment, disabled=False)
        case _:
            assert_never(event)


def add(
    deployment: Deployment | None,
    *,
    deployment_id: UUID,
    provider: Provider,
    credential: Credential | None,
    spec: DeploymentSpec,
    stamp: Stamp,
) -> list[DeploymentEvent]:
    """Put a model of `provider` at routes' disposal. `credential` is the one that `spec` names, if it exists.

    Raises:
        AlreadyExists: the deployment id is in use with other settings; the same again does nothing.
        NotFound: the credential does not exist, is revoked, or belongs to another provider or origin.
        BadField: a bound or a name cannot be used.
    """
    spec = _checked(spec, provider=provider, credential=credential)
    wanted = Deployment(deployment_id=deployment_id, provider_id=provider.provider_id, spec=spec)
    if deployment == wanted:
        return []
    if deployment is not None:
        raise AlreadyExists("deployment", deployment_id)
    return [
        DeploymentAdded(
            deployment_id=deployment_id,
            provider_id=provider.provider_id,
            spec=spec,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def change(
    deployment: Deployment | None,
    *,
    provider: Provider,
    credential: Credential | None,
    spec: DeploymentSpec,
    stamp: Stamp,
) -> list[DeploymentEvent]:
    """Replace the deployment's settings; its provider stays.

    Raises:
        NotFound: there is no such deployment, or as `add`.
        BadField: as `add`.
    """
    deployment = existing(deployment)
    spec = _checked(spec, provider=provider, credential=credential)
    if spec == deployment.spec:
        return []
    return [
        DeploymentChanged(
            deployment_id=deployment.deployment_id,
            spec=spec,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def disable(deployment: Deployment | None, *, reason: str, stamp: Stamp) -> list[DeploymentEvent]:
    """Let routes pass over it; disabling twice does nothing.

    Raises:
        NotFound: there is no such deployment.
        BadField: the reason is empty or cannot be shown.
    """
    deployment = existing(deployment)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if deployment.disabled:
        return []
    return [
        DeploymentDisabled(
            deployment_id=deployment.deployment_id,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def enable(deployment: Deployment | None, *, stamp: Stamp) -> list[DeploymentEvent]:
    """Let routes use it again; enabling twice does nothing.

    Raises:
        NotFound: there is no such deployment.
    """
    deployment = existing(deployment)
    if not deployment.disabled:
        return []
    return [
        DeploymentEnabled(deployment_id=deployment.deployment_id, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def existing(deployment: Deployment | None) -> Deployment:
    """The deployment, or `NotFound`."""
    if deployment is None:
        raise NotFound("deployment")
    return deployment


def _checked(spec: DeploymentSpec, *, provider: Provider, credential: Credential | None) -> DeploymentSpec:
    if spec.credential_id is not None and (credential is None or not credential.fits(provider)):
        raise NotFound("credential", spec.credential_id)
    for field in ("context_tokens", "output_tokens_max"):
        if not 1 <= getattr(spec, field) <= TOKENS_MAX:
            raise BadField(field, f"must be between 1 and {TOKENS_MAX}")
    for field in Timeouts.__struct_fields__:
        duration_ms = getattr(spec.timeouts, field)
        if duration_ms is not None and not 1 <= duration_ms <= TIMEOUT_MS_MAX:
            raise BadField(field, f"must be between 1 and {TIMEOUT_MS_MAX}")
    return msgspec.structs.replace(
        spec,
        upstream_model=printable(spec.upstream_model, field="upstream_model", chars_max=200),
        passes=_checked_passes(spec),
    )


def _checked_passes(spec: DeploymentSpec) -> tuple[str, ...] | msgspec.UnsetType:
    """Each name once, in order; none is unset, so that it leaves no trace in the event."""
    if not spec.passes:
        return msgspec.UNSET
    names = tuple(sorted(set(spec.passes)))
    if len(names) > PASSES_MAX or not all(map(_MEMBER.fullmatch, names)):
        raise BadField("passes", f"must be at most {PASSES_MAX} names of request members")
    return names
