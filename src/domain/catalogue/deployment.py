"""Deployments: one model at one provider."""

from collections.abc import Mapping
from typing import ClassVar, assert_never
from uuid import UUID

import msgspec

from domain.catalogue.credential import Credential
from domain.catalogue.deployment_spec import DeploymentSpec, checked_spec
from domain.catalogue.provider import Provider
from domain.fact import Fact, Stamp
from domain.refusal import AlreadyExists, NotFound
from domain.text import REASON_CHARS_MAX, printable


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
    credentials: Mapping[UUID, Credential],
    spec: DeploymentSpec,
    stamp: Stamp,
) -> list[DeploymentEvent]:
    """Put a model of `provider` at routes' disposal. `credentials` are those that `spec` names, if they exist.

    Raises:
        AlreadyExists: the deployment id is in use with other settings; the same again does nothing.
        NotFound: a credential does not exist, is revoked, or belongs to another provider or origin.
        BadField: a bound or a name cannot be used.
    """
    spec = checked_spec(spec, provider=provider, credentials=credentials)
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
    credentials: Mapping[UUID, Credential],
    spec: DeploymentSpec,
    stamp: Stamp,
) -> list[DeploymentEvent]:
    """Replace the deployment's settings; its provider stays.

    Raises:
        NotFound: there is no such deployment, or as `add`.
        BadField: as `add`.
    """
    deployment = existing(deployment)
    spec = checked_spec(spec, provider=provider, credentials=credentials)
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
