"""What a deployment is set up with: one model at one provider, its credentials, bounds and abilities."""

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args
from uuid import UUID

import msgspec

from domain.catalogue.credential import Credential
from domain.catalogue.provider import Provider
from domain.pricing import Price
from domain.refusal import BadField, NotFound
from domain.text import printable

OutputField = Literal["max_tokens", "max_completion_tokens"]
Operation = Literal[
    "chat",
    "messages",
    "responses",
    "completions",
    "embeddings",
    "images",
    "image-edits",
    "speech",
    "transcriptions",
    "translations",
    "moderations",
    "rerank",
]
"""What a deployment can be asked for. What speaks another dialect than its client is asked in its own."""
TOKENS_MAX: Final = 100_000_000
TIMEOUT_MS_MAX: Final = 3_600_000
BYTES_S_MAX: Final = 1_000_000_000
BYTES_WINDOW_MS: Final = 10_000
"""Over how long `bytes_s_min` is measured where nothing else is set."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits of waiting, in milliseconds, and of pace. None means the server's setting, or no minimum of bytes."""

    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None
    total_ms: int | None = None
    bytes_s_min: int | None = None  #: what an answer brings at least, in bytes a second
    bytes_window_ms: int | None = None  #: over so much waiting; none: 10 s


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What differs from an ordinary chat model with one credential."""

    more_credential_ids: tuple[UUID, ...] = ()  #: used in turn with the first
    serves: tuple[Operation, ...] = ("chat",)
    traits: tuple[str, ...] = ()  #: what this model takes or refuses, in the words of its dialect
    passes: tuple[str, ...] = ()  #: members of requests that cost extra upstream and that the price covers
    image_tokens_max: int | None = None  #: of one image; otherwise the context stands in for it
    audio_tokens_max: int | None = None  #: likewise of one clip
    preamble_tokens: int | None = None  #: what the provider adds to every prompt, if more than is usual
    cost: Price | None = None  #: what the provider takes, in credits


NO_DETAILS: Final = Details()


class DeploymentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a deployment that can change."""

    credential_id: UUID | None = None  #: none for an upstream that asks for no secret
    upstream_model: str
    context_tokens: int  #: prompt and answer together
    output_tokens_max: int
    output_field: OutputField = "max_tokens"  #: how this upstream calls the bound of the answer
    timeouts: Timeouts = Timeouts()
    details: Details | msgspec.UnsetType = msgspec.UNSET  #: unset as `NO_DETAILS`

    @property
    def detail(self) -> Details:
        return self.details or NO_DETAILS

    @property
    def credential_ids(self) -> tuple[UUID, ...]:
        """All credentials, in order."""
        return () if self.credential_id is None else (self.credential_id, *self.detail.more_credential_ids)


NAMES_MAX: Final = 50
CREDENTIALS_MAX: Final = 20
_NAME: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")


def checked_spec(
    spec: DeploymentSpec, *, provider: Provider, credentials: Mapping[UUID, Credential]
) -> DeploymentSpec:
    """The spec in its one spelling. `credentials` are those of `spec.credential_ids` that exist.

    Raises:
        NotFound: a credential does not exist, is revoked, or belongs to another provider or origin.
        BadField: a bound or a name cannot be used.
    """
    for credential_id in spec.credential_ids:
        credential = credentials.get(credential_id)
        if credential is None or not credential.fits(provider):
            raise NotFound("credential", credential_id)
    for field in ("context_tokens", "output_tokens_max"):
        _require_tokens(field, getattr(spec, field))
    _check_timeouts(spec.timeouts)
    details = _checked_details(spec)
    return msgspec.structs.replace(
        spec,
        upstream_model=printable(spec.upstream_model, field="upstream_model", chars_max=200),
        details=msgspec.UNSET if details == NO_DETAILS else details,
    )


def _check_timeouts(timeouts: Timeouts) -> None:
    for field in Timeouts.__struct_fields__:
        figure = getattr(timeouts, field)
        most = BYTES_S_MAX if field == "bytes_s_min" else TIMEOUT_MS_MAX
        if figure is not None and not 1 <= figure <= most:
            raise BadField(field, f"must be between 1 and {most}")
    if timeouts.bytes_window_ms is not None and timeouts.bytes_s_min is None:
        raise BadField("bytes_window_ms", "needs a minimum in bytes_s_min")


def _checked_details(spec: DeploymentSpec) -> Details:
    details = spec.detail
    ids = spec.credential_ids
    if len(ids) > CREDENTIALS_MAX or len(set(ids)) < len(ids):
        raise BadField(
            "more_credential_ids", f"must be at most {CREDENTIALS_MAX - 1} others, each of them once"
        )
    if details.more_credential_ids and spec.credential_id is None:
        raise BadField("more_credential_ids", "needs a first credential in credential_id")
    for field in ("image_tokens_max", "audio_tokens_max", "preamble_tokens"):
        tokens = getattr(details, field)
        if tokens is not None:
            _require_tokens(field, tokens)
    if not details.serves or not set(details.serves) <= set(get_args(Operation)):
        raise BadField("serves", "must name at least one operation")
    return msgspec.structs.replace(
        details,
        serves=tuple(sorted(set(details.serves))),
        traits=_checked_names("traits", details.traits),
        passes=_checked_names("passes", details.passes),
    )


def _require_tokens(field: str, tokens: int) -> None:
    if not 1 <= tokens <= TOKENS_MAX:
        raise BadField(field, f"must be between 1 and {TOKENS_MAX}")


def _checked_names(field: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) > NAMES_MAX or not all(map(_NAME.fullmatch, names)):
        raise BadField(field, f"must be at most {NAMES_MAX} names such as tool_choice")
    return tuple(sorted(set(names)))
