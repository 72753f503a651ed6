"""The price list: one stream for all prices, so that its version is the price version on every charge.

A publication prices some aliases from a time on. For an alias the entry in force at a time is the one that
started last; of two with the same start the later version. So a correction published now ends neither a
price that was announced for a later day, nor is it ended by publishing other aliases.
"""

import re
from typing import ClassVar, Final, assert_never
from uuid import UUID

import msgspec

from domain.decimals import nano, nano_per_million
from domain.fact import Fact, Stamp
from domain.pictures import UNKNOWN, Picture
from domain.pricing import MARKUP_PPM_MAX, NO_MARKUP_PPM, Price, Tier, Window
from domain.refusal import BadField
from domain.text import REASON_CHARS_MAX, alias_name, printable

PRICE_LIST_STREAM: Final = UUID("5b2f6f0e-31a4-5d7c-8f0b-9c1d2e3f4a05")
ENTRIES_MAX = 5_000
TIER_TOKENS_MAX: Final = 100_000_000
PICTURES_MAX: Final = 100
_LOOK: Final = re.compile(r"[A-Za-z0-9._:-]{1,32}", re.ASCII)
EACH_NANO_MAX: Final = 1_000 * 10**9
_PER_MILLION: Final = 1_000_000
_SECOND_MS: Final = 1_000
_NANO_PER_PPM: Final = 1_000
_DAY_MINUTES: Final = 24 * 60
AHEAD_US_MAX = 5 * 366 * 24 * 3600 * 1_000_000


class TokensText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What tokens cost as an operator writes it: decimal credits per million. Only the last may be left out."""

    input: str
    cached_input: str
    cache_write: str
    output: str
    cache_write_long: str | None = None  #: kept for the provider's longer time; otherwise as `cache_write`


class TierText(TokensText, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all tokens of a request cost whose prompt is longer than this."""

    above_input_tokens: int


class WindowText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A factor, such as `"2"`, on everything during a part of some days: minutes of the day by UTC, 0 is Monday."""

    weekdays: tuple[int, ...]
    from_minute: int
    to_minute: int
    factor: str


class PictureText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one image of this size and quality costs, as a client asks for them; what is left out stands for any."""

    size: str = ""
    quality: str = ""
    image: str


class PriceText(TokensText, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The price of an alias as an operator writes it. What it leaves out is not offered under the alias."""

    request: str  #: a flat fee, credits per million requests
    image: str | None = None  #: credits per image, of every one that `pictures` does not name
    audio_second: str | None = None  #: credits per second, where sound is not counted in tokens
    characters: str | None = None  #: credits per million characters read aloud
    search: str | None = None  #: credits per call of a tool that the provider runs by itself
    tiers: tuple[TierText, ...] = ()
    windows: tuple[WindowText, ...] = ()
    service_tiers: dict[
        str, str
    ] = {}  #: factors, such as `{"flex": "0.5"}`, of the tiers that clients may ask for
    pictures: tuple[PictureText, ...] = ()  #: images whose price depends on their size or quality


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be published: prices that were read and can be used."""

    entries: dict[str, Price]  #: by alias
    markup_ppm: int
    effective_from_us: int | None  #: none means from its publication on


class PriceListPublished(Fact, frozen=True, kw_only=True):
    """These aliases cost this from then on. The event's version in its stream is the price version."""

    TOPIC: ClassVar[str] = "price-list.published.v1"

    entries: dict[str, Price]  #: by alias
    markup_ppm: int
    effective_from_us: int
    approved_by: str
    note: str


PriceListEvent = PriceListPublished
PRICE_LIST_EVENTS: tuple[type[Fact], ...] = (PriceListPublished,)


class PriceList(msgspec.Struct, frozen=True):
    """The fold of the price list's stream: as much as a decision needs."""

    version: int = 0


def evolve(prices: PriceList, event: PriceListEvent) -> PriceList:
    """The list after one more publication."""
    match event:
        case PriceListPublished():
            return PriceList(prices.version + 1)
        case _:
            assert_never(event)


def publish(
    *,
    entries: dict[str, PriceText],
    markup_ppm: int = NO_MARKUP_PPM,
    effective_from_us: int | None,
    approved_by: str,
    note: str,
    stamp: Stamp,
) -> list[PriceListEvent]:
    """Set prices from a time on; none means now. Requests that were admitted before keep their price.

    Raises:
        BadField: as `checked`, or the note cannot be shown.
    """
    publication = checked(
        entries=entries, markup_ppm=markup_ppm, effective_from_us=effective_from_us, now_us=stamp.now_us
    )
    return [published(publication, approved_by=approved_by, note=note, stamp=stamp)]


def checked(
    *,
    entries: dict[str, PriceText],
    markup_ppm: int = NO_MARKUP_PPM,
    effective_from_us: int | None,
    now_us: int,
) -> Publication:
    """What an operator wrote, read.

    Raises:
        BadField: there is no entry, an alias or a price cannot be used, the markup is out of range, or the
            time has passed.
    """
    if effective_from_us is not None and not now_us <= effective_from_us <= now_us + AHEAD_US_MAX:
        raise BadField("effective_from_us", "has passed, or is more than five years ahead")
    if not 1 <= markup_ppm <= MARKUP_PPM_MAX:
        raise BadField("markup_ppm", f"must be between 1 and {MARKUP_PPM_MAX}")
    if not 1 <= len(entries) <= ENTRIES_MAX:
        raise BadField("entries", f"must have 1 to {ENTRIES_MAX} aliases")
    return Publication(
        entries={
            alias_name(alias): price_of(text, field=f"entries.{alias}")
            for alias, text in sorted(entries.items())
        },
        markup_ppm=markup_ppm,
        effective_from_us=effective_from_us,
    )


def published(publication: Publication, *, approved_by: str, note: str, stamp: Stamp) -> PriceListPublished:
    """The fact of it. It begins when it is wanted, and never before now.

    Raises:
        BadField: the note cannot be shown.
    """
    return PriceListPublished(
        entries=publication.entries,
        markup_ppm=publication.markup_ppm,
        effective_from_us=max(publication.effective_from_us or 0, stamp.now_us),
        approved_by=printable(approved_by, field="approved_by"),
        note=printable(note, field="note", chars_max=REASON_CHARS_MAX),
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def price_of(text: PriceText, *, field: str) -> Price:
    """Read a price exactly.

    Raises:
        BadField: a component cannot be used; its name follows `field`.
    """
    return _Reader(field).price(text)


class _Reader:
    """Reads one price; refusals name the component."""

    def __init__(self, path: str) -> None:
        self._path = path

    def price(self, text: PriceText) -> Price:
        starts = [one.above_input_tokens for one in text.tiers]
        if starts != sorted(set(starts)):
            raise BadField(f"{self._path}.tiers", "must be in ascending order of their prompts")
        return Price(
            **self._tokens(text, self._path),
            request_nano_per_million=self._per_million("request", text.request),
            image_nano_per_million=self._each("image", text.image, _PER_MILLION),
            audio_ms_nano_per_million=self._each(
                "audio_second", text.audio_second, _PER_MILLION // _SECOND_MS
            ),
            character_nano_per_million=self._each("characters", text.characters, 1),
            search_nano_per_million=self._each("search", text.search, _PER_MILLION),
            tiers=tuple(self._tier(place, one) for place, one in enumerate(text.tiers)),
            windows=tuple(self._window(place, one) for place, one in enumerate(text.windows)),
            service_tiers={
                printable(name, field=f"{self._path}.service_tiers"): self._factor("service_tiers", factor)
                for name, factor in sorted(text.service_tiers.items())
            },
            pictures=self._pictures(text.pictures),
        )

    def _pictures(self, rows: tuple[PictureText, ...]) -> tuple[Picture, ...]:
        names = [(row.size, row.quality) for row in rows]
        if len(rows) > PICTURES_MAX or len(set(names)) < len(names):
            raise BadField(
                f"{self._path}.pictures", f"must be at most {PICTURES_MAX}, no two of one size and quality"
            )
        return tuple(self._picture(place, row) for place, row in enumerate(rows))

    def _picture(self, place: int, row: PictureText) -> Picture:
        path = f"{self._path}.pictures.{place}"
        for name, value in (("size", row.size), ("quality", row.quality)):
            if value and (not _LOOK.fullmatch(value) or value in UNKNOWN):
                raise BadField(f"{path}.{name}", "must be a name that clients use, such as 1024x1024 or high")
        if not row.size and not row.quality:
            raise BadField(
                f"{path}.size", "or quality must be named; what every other image costs is `image`"
            )
        each = self._each(f"pictures.{place}.image", row.image, _PER_MILLION)
        assert each is not None
        return Picture(size=row.size, quality=row.quality, nano_per_million=each)

    def _tokens(self, text: TokensText, path: str) -> dict[str, int]:
        names = ("input", "cached_input", "cache_write", "output", "cache_write_long")
        return {
            f"{name}_nano_per_million": nano_per_million(decimal, field=f"{path}.{name}")
            for name in names
            if (decimal := getattr(text, name)) is not None
        }

    def _tier(self, place: int, text: TierText) -> Tier:
        path = f"{self._path}.tiers.{place}"
        if not 1 <= text.above_input_tokens <= TIER_TOKENS_MAX:
            raise BadField(f"{path}.above_input_tokens", f"must be between 1 and {TIER_TOKENS_MAX}")
        return Tier(above_input_tokens=text.above_input_tokens, **self._tokens(text, path))

    def _window(self, place: int, text: WindowText) -> Window:
        path = f"{self._path}.windows.{place}"
        if not text.weekdays or not set(text.weekdays) <= set(range(7)):
            raise BadField(f"{path}.weekdays", "must be some of 0 (Monday) to 6")
        if not 0 <= text.from_minute < text.to_minute <= _DAY_MINUTES:
            raise BadField(f"{path}.from_minute", "must be before to_minute, both within 0 to 1440")
        return Window(
            weekdays=tuple(sorted(set(text.weekdays))),
            from_minute=text.from_minute,
            to_minute=text.to_minute,
            factor_ppm=self._factor(f"windows.{place}.factor", text.factor),
        )

    def _factor(self, name: str, decimal: str) -> int:
        factor_ppm, rest = divmod(nano(decimal, field=f"{self._path}.{name}"), _NANO_PER_PPM)
        if rest or not 1 <= factor_ppm <= MARKUP_PPM_MAX:
            raise BadField(f"{self._path}.{name}", "must be a factor from 0.000001 to 100")
        return factor_ppm

    def _per_million(self, name: str, decimal: str) -> int:
        return nano_per_million(decimal, field=f"{self._path}.{name}")

    def _each(self, name: str, decimal: str | None, units: int) -> int | None:
        """A price of one unit of which the ledger's are `units` to a million."""
        if decimal is None:
            return None
        price = nano(decimal, field=f"{self._path}.{name}")
        if price > EACH_NANO_MAX:
            raise BadField(f"{self._path}.{name}", "is above the ceiling of 1000 credits")
        return price * units
