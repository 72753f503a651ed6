"""What usage costs. All integers: prices are nano-credits per million units, factors parts per million.

A request is rounded once: a charge half-even, a hold up. So a charge never exceeds the hold of its bounds.

The dimensions of a price, each a fact of some provider's price list: tokens by kind; tiers that reprice the *whole*
request, answer included, once its prompt is long; windows of the day; the service tier that was asked for; a fee per
request; images, by size and quality where these have prices; seconds of sound, characters and the provider's own tools.
"""

from typing import Final

import msgspec

from domain.ledger.events import Units
from domain.pictures import Picture, picture_of
from domain.rounding import divide_half_even

MARKUP_PPM_MAX: Final = 100_000_000  #: a factor of 100
NO_MARKUP_PPM: Final = 1_000_000
_PER_MILLION: Final = 1_000_000
_DAY_MINUTES: Final = 24 * 60
_MINUTE_US: Final = 60_000_000
_MONDAY_AFTER_EPOCH: Final = 4  # 1970-01-01 was a Thursday


class Tokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What tokens cost, by kind. What is kept longer costs what any written token does unless it has its own price."""

    input_nano_per_million: int
    cached_input_nano_per_million: int
    cache_write_nano_per_million: int
    output_nano_per_million: int
    cache_write_long_nano_per_million: int | None = None

    @property
    def dearest_input_nano_per_million(self) -> int:
        """The dearest way in which a prompt's token can be reported."""
        return max(
            self.input_nano_per_million,
            self.cached_input_nano_per_million,
            self.cache_write_nano_per_million,
            self.cache_write_long_nano_per_million or 0,
        )


class Tier(Tokens, frozen=True, kw_only=True, omit_defaults=True):
    """What the tokens of a request cost whose prompt is longer than this, all of them."""

    above_input_tokens: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A factor on everything during a part of some days, by UTC. `to_minute` is not in it any more, at most 1440."""

    weekdays: tuple[int, ...]  #: 0 is Monday
    from_minute: int
    to_minute: int
    factor_ppm: int

    def holds_at(self, now_us: int) -> bool:
        day, minute = divmod(now_us // _MINUTE_US, _DAY_MINUTES)
        return (
            self.from_minute <= minute < self.to_minute and (day - _MONDAY_AFTER_EPOCH) % 7 in self.weekdays
        )


class Price(Tokens, frozen=True, kw_only=True, omit_defaults=True):
    """The price of one model alias. What tokens cost is always named; what else has no price is not offered."""

    request_nano_per_million: int  #: a flat fee, per million requests
    image_nano_per_million: int | None = None  #: of every picture that `pictures` does not name
    audio_ms_nano_per_million: int | None = None
    character_nano_per_million: int | None = None
    search_nano_per_million: int | None = None
    tiers: tuple[Tier, ...] = ()  #: by length, ascending
    windows: tuple[Window, ...] = ()  #: the first that holds counts
    service_tiers: dict[str, int] = {}  #: factors in ppm of the tiers that a client may ask for
    pictures: tuple[Picture, ...] = ()

    @property
    def dearest_image_nano_per_million(self) -> int:
        return max([self.image_nano_per_million or 0, *(row.nano_per_million for row in self.pictures)])

    def picture_of(self, size: str, quality: str) -> Picture | None:
        """The row by which a picture is charged of which this is known; none if it is not offered."""
        return picture_of(self.pictures, self.image_nano_per_million, size=size, quality=quality)

    def tokens_for(self, input_tokens: int) -> Tokens:
        """What tokens cost in a request with so long a prompt."""
        for tier in reversed(self.tiers):
            if input_tokens > tier.above_input_tokens:
                return tier
        return self

    def window_ppm(self, now_us: int) -> int:
        """The factor of the time of day."""
        for window in self.windows:
            if window.holds_at(now_us):
                return window.factor_ppm
        return NO_MARKUP_PPM


class PriceInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A price with the version and the start of the price list that set it."""

    version: int
    effective_from_us: int
    markup_ppm: int
    price: Price


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a request can use: what a hold is made of."""

    prompt_tokens: int = 0
    output_tokens: int = 0
    requests: int = 1
    images: int = 0
    image_size: str = ""
    image_quality: str = ""
    audio_ms: int = 0
    characters: int = 0
    searches: int = 0


def charge_nano(units: Units, price: Price, markup_ppm: int, *, factor_ppm: int = NO_MARKUP_PPM) -> int:
    """The cost of what was used, in nano-credits, rounded half-even once.

    `factor_ppm` is that of the time of day and the service tier together, as `combined_ppm` makes it.
    """
    return divide_half_even(_exact(units, price) * markup_ppm * factor_ppm, _WHOLE)


class Term(msgspec.Struct, frozen=True):
    """One line of a rating: so many units at so much."""

    unit: str
    quantity: int
    nano_per_million: int


def terms(units: Units, price: Price) -> list[Term]:
    """What `charge_nano` adds up before any factor, line by line, for people to add up again."""
    tokens = price.tokens_for(units.input + units.cached_input + units.cache_write + units.cache_write_long)
    long_nano = tokens.cache_write_long_nano_per_million
    lines = (
        Term("input", units.input, tokens.input_nano_per_million),
        Term("cached_input", units.cached_input, tokens.cached_input_nano_per_million),
        Term("cache_write", units.cache_write, tokens.cache_write_nano_per_million),
        Term(
            "cache_write_long",
            units.cache_write_long,
            tokens.cache_write_nano_per_million if long_nano is None else long_nano,
        ),
        Term("output", units.output, tokens.output_nano_per_million),
        Term("requests", units.requests, price.request_nano_per_million),
        Term("images", units.images, _image_nano_per_million(units, price)),
        Term("audio_ms", units.audio_ms, price.audio_ms_nano_per_million or 0),
        Term("characters", units.characters, price.character_nano_per_million or 0),
        Term("searches", units.searches, price.search_nano_per_million or 0),
    )
    return [line for line in lines if line.quantity]


def hold_nano(bounds: Bounds, price: Price, markup_ppm: int, *, factor_ppm: int = NO_MARKUP_PPM) -> int:
    """The most that a request within `bounds` can cost, in nano-credits, rounded up."""
    return -(-_dearest(bounds, price) * markup_ppm * factor_ppm // _WHOLE)


def combined_ppm(*factors_ppm: int) -> int:
    """One factor of several, rounded up: it is part of an agreed price and must not change with what is counted."""
    combined = NO_MARKUP_PPM
    for factor_ppm in factors_ppm:
        combined = -(-combined * factor_ppm // _PER_MILLION)
    return combined


_WHOLE: Final = _PER_MILLION**3


def _exact(units: Units, price: Price) -> int:
    """Nano-credits times a million, before any factor."""
    tokens: Tokens = price
    if price.tiers:
        tokens = price.tokens_for(
            units.input + units.cached_input + units.cache_write + units.cache_write_long
        )
    total = (
        units.input * tokens.input_nano_per_million
        + units.cached_input * tokens.cached_input_nano_per_million
        + units.cache_write * tokens.cache_write_nano_per_million
        + units.output * tokens.output_nano_per_million
        + units.requests * price.request_nano_per_million
    )
    if units.cache_write_long:
        long_nano = tokens.cache_write_long_nano_per_million
        total += units.cache_write_long * (
            tokens.cache_write_nano_per_million if long_nano is None else long_nano
        )
    if units.images or units.audio_ms or units.characters or units.searches:
        total += _other(units, price)
    return total


def _other(units: Units | Bounds, price: Price) -> int:
    return (
        units.images * _image_nano_per_million(units, price)
        + units.audio_ms * (price.audio_ms_nano_per_million or 0)
        + units.characters * (price.character_nano_per_million or 0)
        + units.searches * (price.search_nano_per_million or 0)
    )


def _image_nano_per_million(units: Units | Bounds, price: Price) -> int:
    """Of the row that these names are of."""
    for row in price.pictures:
        if (row.size, row.quality) == (units.image_size, units.image_quality):
            return row.nano_per_million
    return price.image_nano_per_million or 0


def _dearest(bounds: Bounds, price: Price) -> int:
    """A longer prompt's tier may cost less, so every tier that can be reached is looked at."""
    tokens = _dearest_tokens(bounds, price)
    for tier in price.tiers:
        if tier.above_input_tokens < bounds.prompt_tokens:
            tokens = max(tokens, _dearest_tokens(bounds, tier))
    return tokens + bounds.requests * price.request_nano_per_million + _other(bounds, price)


def _dearest_tokens(bounds: Bounds, tokens: Tokens) -> int:
    return (
        bounds.prompt_tokens * tokens.dearest_input_nano_per_million
        + bounds.output_tokens * tokens.output_nano_per_million
    )
