"""Providers: the companies (or our own servers) that answer. The stream's id follows from the provider's name."""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.catalogue.addresses import Allowlist
from domain.catalogue.base_url import checked_base_url
from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.refusal import AlreadyExists, BadField, NotFound
from domain.text import REASON_CHARS_MAX, printable, slug

Dialect = Literal["openai", "anthropic", "gemini"]
UsageDialect = Literal[
    "openai",
    "deepseek",
    "mistral",
    "xai",
    "gemini-compat",
    "qwen",
    "kimi",
    "glm",
    "azure",
    "minimax",
    "anthropic",
    "gemini",
    "sandbox",
]
_PROVIDERS: Final = UUID("a3f6c0e2-7d0b-5a52-9f5e-1f0f4a1c9a01")
_RETENTION_DAYS_MAX = 36_500


class DataTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the provider may do with prompts, as its contract says; none means unknown."""

    trains_on_data: bool | None = None
    retention_days: int | None = None
    region: str | None = None


class ProviderRegistered(Fact, frozen=True, kw_only=True):
    """A provider can have credentials and deployments from now on."""

    TOPIC: ClassVar[str] = "provider.registered.v1"

    provider_id: UUID
    name: str
    dialect: Dialect
    usage_dialect: UsageDialect
    base_url: str
    data_terms: DataTerms


class ProviderChanged(Fact, frozen=True, kw_only=True):
    """The provider's settings; they replace the earlier ones. Credentials stay bound to the origin they were entered for."""

    TOPIC: ClassVar[str] = "provider.changed.v1"

    provider_id: UUID
    usage_dialect: UsageDialect
    base_url: str
    data_terms: DataTerms


class ProviderDisabled(Fact, frozen=True, kw_only=True):
    """No request goes to this provider until it is enabled."""

    TOPIC: ClassVar[str] = "provider.disabled.v1"

    provider_id: UUID
    reason: str


class ProviderEnabled(Fact, frozen=True, kw_only=True):
    """Requests may go to this provider again."""

    TOPIC: ClassVar[str] = "provider.enabled.v1"

    provider_id: UUID


ProviderEvent = ProviderRegistered | ProviderChanged | ProviderDisabled | ProviderEnabled
PROVIDER_EVENTS: tuple[type[Fact], ...] = (
    ProviderRegistered,
    ProviderChanged,
    ProviderDisabled,
    ProviderEnabled,
)


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a provider stream."""

    provider_id: UUID
    name: str
    dialect: Dialect
    usage_dialect: UsageDialect
    base_url: str
    data_terms: DataTerms
    disabled: bool = False


def provider_id_of(name: str) -> UUID:
    """A provider's id is its name's, so one name is one provider."""
    return stream_of(_PROVIDERS, name)


def evolve(provider: Provider | None, event: ProviderEvent) -> Provider:
    """The provider after one more fact."""
    if isinstance(event, ProviderRegistered):
        return Provider(
            provider_id=event.provider_id,
            name=event.name,
            dialect=event.dialect,
            usage_dialect=event.usage_dialect,
            base_url=event.base_url,
            data_terms=event.data_terms,
        )
    assert provider is not None, "a provider stream starts with ProviderRegistered"
    match event:
        case ProviderChanged():
            return msgspec.structs.replace(
                provider,
                usage_dialect=event.usage_dialect,
                base_url=event.base_url,
                data_terms=event.data_terms,
            )
        case ProviderDisabled():
            return msgspec.structs.replace(provider, disabled=True)
        case ProviderEnabled():
            return msgspec.structs.replace(provider, disabled=False)
        case _:
            assert_never(event)


def register(
    provider: Provider | None,
    *,
    name: str,
    dialect: Dialect,
    usage_dialect: UsageDialect,
    base_url: str,
    data_terms: DataTerms,
    allowlist: Allowlist,
    stamp: Stamp,
) -> list[ProviderEvent]:
    """Make a provider known; registering the same again does nothing.

    Raises:
        BadField: the name, the URL or the terms cannot be used, or the URL points inside.
        AlreadyExists: the name is taken with other settings.
    """
    name = slug(name, field="name")
    url = checked_base_url(base_url, allowlist=allowlist)
    wanted = Provider(
        provider_id=provider_id_of(name),
        name=name,
        dialect=dialect,
        usage_dialect=usage_dialect,
        base_url=url.text,
        data_terms=_checked_terms(data_terms),
    )
    if provider is not None:
        if msgspec.structs.replace(provider, disabled=False) == wanted:
            return []
        raise AlreadyExists("provider", name)
    return [
        ProviderRegistered(
            provider_id=wanted.provider_id,
            name=name,
            dialect=dialect,
            usage_dialect=usage_dialect,
            base_url=wanted.base_url,
            data_terms=wanted.data_terms,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def change(
    provider: Provider | None,
    *,
    usage_dialect: UsageDialect,
    base_url: str,
    data_terms: DataTerms,
    allowlist: Allowlist,
    stamp: Stamp,
) -> list[ProviderEvent]:
    """Replace the provider's settings. At another origin its credentials are dead until they are entered again.

    Raises:
        NotFound: there is no such provider.
        BadField: the URL or the terms cannot be used, or the URL points inside.
    """
    provider = existing(provider)
    wanted = msgspec.structs.replace(
        provider,
        usage_dialect=usage_dialect,
        base_url=checked_base_url(base_url, allowlist=allowlist).text,
        data_terms=_checked_terms(data_terms),
    )
    if wanted == provider:
        return []
    return [
        ProviderChanged(
            provider_id=provider.provider_id,
            usage_dialect=wanted.usage_dialect,
            base_url=wanted.base_url,
            data_terms=wanted.data_terms,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def disable(provider: Provider | None, *, reason: str, stamp: Stamp) -> list[ProviderEvent]:
    """Send nothing there any more; disabling twice does nothing.

    Raises:
        NotFound: there is no such provider.
        BadField: the reason is empty or cannot be shown.
    """
    provider = existing(provider)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if provider.disabled:
        return []
    return [
        ProviderDisabled(
            provider_id=provider.provider_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def enable(provider: Provider | None, *, stamp: Stamp) -> list[ProviderEvent]:
    """Send requests there again; enabling twice does nothing.

    Raises:
        NotFound: there is no such provider.
    """
    provider = existing(provider)
    if not provider.disabled:
        return []
    return [ProviderEnabled(provider_id=provider.provider_id, occurred_us=stamp.now_us, actor=stamp.actor)]


def existing(provider: Provider | None) -> Provider:
    """The provider, or `NotFound`."""
    if provider is None:
        raise NotFound("provider")
    return provider


def _checked_terms(terms: DataTerms) -> DataTerms:
    if terms.retention_days is not None and not 0 <= terms.retention_days <= _RETENTION_DAYS_MAX:
        raise BadField("retention_days", f"must be between 0 and {_RETENTION_DAYS_MAX}")
    if terms.region is not None:
        return msgspec.structs.replace(terms, region=printable(terms.region, field="region"))
    return terms
