"""From what an upstream reported, or what was seen of its answer, to units and what they cost."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec

from application.dialects.openai.units import Used
from application.directory_views import DeploymentView
from application.gateway.attempts import Attempts
from application.gateway.tiers import charged_tier_ppm
from application.wire.bounds import Bound
from application.wire.prompt import PromptText
from application.wire.spoken import SpokenText
from application.wire.tokens import TokenCounter
from application.wire.usage import BOUND_FACTOR, Figures, Reading, Usage, UsageFlag, estimated, usage_by
from application.wire.usage_record import usage_record
from domain.ledger.lease import Answer
from domain.pricing import NO_MARKUP_PPM, Bounds, Price, PriceInForce, charge_nano, combined_ppm, hold_nano

_NOTHING: Final = Bounds(requests=0)
_CUT: Final[tuple[UsageFlag, ...]] = ("absurd", "clamped")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed when the request was admitted: whose it is, its bounds and its price."""

    key_id: UUID
    alias: str
    bound: Bound
    price: PriceInForce
    factor_ppm: int = NO_MARKUP_PPM  #: of the hour and the service tier
    window_ppm: int = NO_MARKUP_PPM  #: of the hour alone
    service_tier: str = ""  #: as the client asked for it
    operation: str = "chat"


async def metered(
    raw: bytes | None,
    *,
    figures: Callable[[Reading], Figures],
    model: str,
    bound: Bound,
    counter: TokenCounter,
    prompt: Callable[[], PromptText | None],
    spoken: SpokenText,
) -> Usage:
    """The upstream's figures; what it did not report is counted here, in a thread, and marked estimated."""
    usage = usage_by(raw, figures, bound=bound)
    if usage is not None and not (usage.needs_input_count or usage.needs_output_count):
        return usage
    return await asyncio.to_thread(_counted, usage, counter, prompt, spoken, model)


def _counted(
    usage: Usage | None,
    counter: TokenCounter,
    prompt: Callable[[], PromptText | None],
    spoken: SpokenText,
    model: str,
) -> Usage:
    text = prompt()
    return estimated(
        usage,
        input_tokens=0 if text is None else counter.count_prompt(text, model=model),
        output_tokens=spoken.scaled(counter.count_text(spoken.text, model=model)),
    )


def metered_in_units(used: Used, raw: bytes | None, terms: Terms) -> Usage:
    """What was told, if the price covers it; else the bound, marked estimated: nothing is served for nothing.

    A provider may tell other units than the price names: tokens where seconds are priced, or nothing at all. What it
    tells to be zero is zero.
    """
    price, bound = terms.price.price, terms.bound
    used = _by_row(used, price, bound)
    told = Bounds(
        prompt_tokens=used.input + used.cached_input + used.cache_write,
        output_tokens=used.output,
        requests=0,
        images=used.images,
        image_size=used.image_size,
        image_quality=used.image_quality,
        audio_ms=used.audio_ms,
        characters=used.characters,
        searches=used.searches,
    )
    is_zero = used.source != "request" and told == _NOTHING
    if is_zero or hold_nano(told, price, NO_MARKUP_PPM):
        return _usage(used, raw, bound)
    most = Bounds(
        prompt_tokens=bound.prompt_tokens,
        output_tokens=bound.output_tokens,
        requests=0,
        images=bound.images,
        image_size=bound.image_size,
        image_quality=bound.image_quality,
        audio_ms=bound.audio_ms,
        characters=bound.characters,
        searches=bound.searches,
    )
    if not hold_nano(most, price, NO_MARKUP_PPM):
        return _usage(used, raw, bound)
    return Usage(
        input=most.prompt_tokens,
        output=most.output_tokens,
        images=most.images,
        image_size=most.image_size,
        image_quality=most.image_quality,
        audio_ms=most.audio_ms,
        characters=most.characters,
        searches=most.searches,
        raw=raw or b"",
        source="estimated",
        flags=used.flags,
    )


def _by_row(used: Used, price: Price, bound: Bound) -> Used:
    """With the names of the row that prices its images; of the agreed one for a look that has no price."""
    if not bound.images:
        return used
    row = price.picture_of(used.image_size, used.image_quality) if price.pictures else None
    size, quality = (row.size, row.quality) if row else (bound.image_size, bound.image_quality)
    return msgspec.structs.replace(used, image_size=size, image_quality=quality)


def _usage(used: Used, raw: bytes | None, bound: Bound) -> Usage:
    """What was told, with what cannot be cut to its bound."""
    flags = list(used.flags)

    def cut(figure: int, most: int) -> int:
        if not most or figure <= BOUND_FACTOR * most:
            return figure
        flags.extend(flag for flag in _CUT if flag not in flags)
        return most

    cache_write = cut(used.cache_write, bound.prompt_tokens)
    return Usage(
        input=cut(used.input, bound.prompt_tokens),
        cached_input=cut(used.cached_input, bound.prompt_tokens),
        cache_write=cache_write,
        cache_write_long=min(used.cache_write_long, cache_write),
        output=cut(used.output, bound.output_tokens),
        reasoning=cut(used.reasoning, bound.output_tokens),
        images=cut(used.images, bound.images),
        image_size=used.image_size,
        image_quality=used.image_quality,
        audio_ms=cut(used.audio_ms, bound.audio_ms),
        characters=cut(used.characters, bound.characters),
        searches=cut(used.searches, bound.searches),
        raw=raw or b"",
        source="none" if used.source == "request" else "provider",
        flags=tuple(flags),
    )


def with_told_tier(terms: Terms, told: str | None) -> Terms:
    """The terms with the factor of the service tier that the provider says it used, and never a dearer one than was agreed.

    The hold and the client's ceiling were made for the agreed one; whoever did not ask for a dear tier does not pay it.
    """
    price = terms.price.price
    tier_ppm = charged_tier_ppm(terms.service_tier, told, price)
    used_ppm = combined_ppm(terms.window_ppm, tier_ppm)
    return msgspec.structs.replace(terms, factor_ppm=min(used_ppm, terms.factor_ppm))


def rated_nano(usage: Usage, terms: Terms) -> int:
    """The cost of `usage` in nano-credits, rounded once; it may be above the hold."""
    price = terms.price
    return charge_nano(usage.units(), price.price, price.markup_ppm, factor_ppm=terms.factor_ppm)


def cost_nano(usage: Usage, cost: Price, *, asked_tier: str, told_tier: str | None, started_us: int) -> int:
    """What a provider takes for `usage` in an attempt that began then, in nano-credits."""
    tier_ppm = charged_tier_ppm(asked_tier, told_tier, cost)
    factor_ppm = combined_ppm(cost.window_ppm(started_us), tier_ppm)
    return charge_nano(usage.units(), cost, NO_MARKUP_PPM, factor_ppm=factor_ppm)


def answer_of(
    usage: Usage,
    *,
    terms: Terms,
    deployment: DeploymentView,
    attempts: Attempts,
    result: str,
    first_byte_ms: int,
    total_ms: int,
) -> Answer:
    """What the ledger records of an answer beside the money."""
    return Answer(
        key_id=terms.key_id,
        alias=terms.alias,
        price_version=terms.price.version,
        units=usage.units(),
        usage_source=usage.source,
        usage_flags=usage.flags,
        usage_raw=usage_record(usage.raw),
        result=result,
        provider=deployment.provider,
        deployment_id=deployment.deployment_id,
        attempts=tuple(attempts.records),
        first_byte_ms=first_byte_ms,
        total_ms=total_ms,
        operation=msgspec.UNSET if terms.operation == "chat" else terms.operation,
        factor_ppm=msgspec.UNSET if terms.factor_ppm == NO_MARKUP_PPM else terms.factor_ppm,
        passed_over=attempts.passed_over,
    )
