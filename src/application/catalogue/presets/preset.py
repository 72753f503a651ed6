"""What a preset says: a provider's addresses, endpoints and models, with their prices in USD, their sources and dates.

The data is one JSON file per provider in `data`; it is checked when it is read. What is not `verified` is from documents
or lists that nobody has compared with the provider itself.
"""

from datetime import date
from typing import Literal

import msgspec

from domain.catalogue.deployment_spec import Operation, OutputField
from domain.catalogue.prices import PriceText
from domain.catalogue.provider import Dialect, UsageDialect

Role = Literal["premium", "balanced", "coding", "fast", "low-cost", "embedding"]
Kind = Literal["chat", "embedding", "image", "speech", "transcription", "moderation"]
DEFAULT_REGION = "default"


class _Datum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything in a preset: a word that is misspelt in a file is found when it is read."""


class Auth(_Datum, frozen=True, kw_only=True):
    """The header that carries the key, and the word before it, if any."""

    header: Literal["authorization", "x-api-key", "x-goog-api-key"]
    scheme: str


class FreeProbe(_Datum, frozen=True, kw_only=True):
    """A GET that costs nothing and needs a valid key. The path is added to the base URL."""

    path: str
    expect: int
    bad_key: int  #: the status that a bad key gives
    verified: bool


class PresetEndpoint(_Datum, frozen=True, kw_only=True):
    """One dialect that the provider speaks, and where."""

    dialect: Dialect
    usage_dialect: UsageDialect
    base_urls: dict[str, str]  #: by region; `default` is always one
    unverified_regions: tuple[str, ...] = ()
    auth: Auth
    operations: tuple[Operation, ...]  #: whose paths it has
    output_field: OutputField = "max_tokens"
    traits: tuple[str, ...] = ()  #: of all models here
    probe: FreeProbe | None = None  #: none is known
    source: str
    verified: bool


class DatedPrice(_Datum, frozen=True, kw_only=True):
    """What a model costs from a day on, in USD."""

    usd: PriceText
    from_day: date | None = msgspec.field(default=None, name="from")  #: begins at midnight UTC; none: already
    source: str | None = None  #: a page of the provider's, or of who says so; none is known
    via: str  #: where the figure was taken from
    read: date
    verified: bool
    notes: tuple[str, ...] = ()


class PresetModel(_Datum, frozen=True, kw_only=True):
    """One model. Without prices it can be added, and is refused until an operator prices it."""

    id: str
    kind: Kind
    context_tokens: int | None = None  #: prompt and answer together; none: not published
    output_tokens_max: int | None = None
    operations: tuple[Operation, ...]
    traits: tuple[str, ...] = ()  #: in the words of the first endpoint's dialect
    deprecated: date | None = None  #: the provider ends it then
    region_factors: dict[str, str] = {}  #: on the prices, by region; 1 where none is named
    prices: tuple[DatedPrice, ...] = ()  #: in the order of their days


class Preset(_Datum, frozen=True, kw_only=True):
    """One provider."""

    id: str
    name: str
    read: date  #: the day of the facts
    endpoints: tuple[PresetEndpoint, ...]  #: the first is the one to use
    roles: dict[Role, str]  #: model ids
    notes: tuple[str, ...] = ()
    models: tuple[PresetModel, ...]
