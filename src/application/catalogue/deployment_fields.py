"""What both commands on a deployment's settings have in common."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from application.catalogue.streams import load_credential
from application.eventlog import EventStore
from domain.catalogue.credential import Credential
from domain.catalogue.deployment_spec import DeploymentSpec, Details, Operation, OutputField, Timeouts
from domain.catalogue.prices import PriceText, price_of


class DeploymentFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about a deployment that can change. A timeout that is left out is the server's."""

    upstream_model: str
    context_tokens: int
    output_tokens_max: int
    output_field: OutputField = "max_tokens"
    credential_id: UUID | None = None
    more_credential_ids: tuple[UUID, ...] = ()
    serves: tuple[Operation, ...] = ("chat",)
    traits: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    image_tokens_max: int | None = None
    audio_tokens_max: int | None = None
    preamble_tokens: int | None = None
    cost: PriceText | None = None
    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None
    total_ms: int | None = None
    bytes_s_min: int | None = None
    bytes_window_ms: int | None = None

    def spec(self) -> DeploymentSpec:
        """As the domain takes it. Raises: BadField: the cost cannot be read."""
        return DeploymentSpec(
            credential_id=self.credential_id,
            upstream_model=self.upstream_model,
            context_tokens=self.context_tokens,
            output_tokens_max=self.output_tokens_max,
            output_field=self.output_field,
            timeouts=Timeouts(
                connect_ms=self.connect_ms,
                first_byte_ms=self.first_byte_ms,
                idle_ms=self.idle_ms,
                total_ms=self.total_ms,
                bytes_s_min=self.bytes_s_min,
                bytes_window_ms=self.bytes_window_ms,
            ),
            details=Details(
                more_credential_ids=self.more_credential_ids,
                serves=self.serves,
                traits=self.traits,
                passes=self.passes,
                image_tokens_max=self.image_tokens_max,
                audio_tokens_max=self.audio_tokens_max,
                preamble_tokens=self.preamble_tokens,
                cost=None if self.cost is None else price_of(self.cost, field="cost"),
            ),
        )


def credentials_of(spec: DeploymentSpec, store: EventStore) -> Mapping[UUID, Credential]:
    """The credentials that a spec names, as far as they exist."""
    found = {one: load_credential(store, one) for one in spec.credential_ids}
    return {one: credential for one, credential in found.items() if credential is not None}
