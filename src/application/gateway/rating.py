"""From what an upstream reported, or what was seen of its answer, to units and what they cost."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import msgspec

from application.directory_views import DeploymentView
from application.gateway.attempts import Attempts
from application.wire.bounds import Bound
from application.wire.prompt import PromptText
from application.wire.spoken import SpokenText
from application.wire.tokens import TokenCounter
from application.wire.usage import Figures, Reading, Usage, estimated, usage_by
from application.wire.usage_record import usage_record
from domain.ledger.lease import Answer
from domain.pricing import NO_MARKUP_PPM, PriceInForce, charge_nano


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed when the request was admitted: whose it is, its bounds and its price."""

    key_id: UUID
    alias: str
    bound: Bound
    price: PriceInForce
    factor_ppm: int = NO_MARKUP_PPM  #: of the hour and the service tier
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


def rated_nano(usage: Usage, terms: Terms) -> int:
    """The cost of `usage` in nano-credits, rounded once; it may be above the hold."""
    price = terms.price
    return charge_nano(usage.units(), price.price, price.markup_ppm, factor_ppm=terms.factor_ppm)


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
