"""From what an upstream reported, or what was seen of its answer, to units and what they cost."""

import asyncio
from uuid import UUID

import msgspec

from application.directory_views import DeploymentView
from application.gateway.attempts import Attempts
from application.wire.bounds import Bound
from application.wire.spoken import SpokenText
from application.wire.tokens import TokenCounter
from application.wire.usage import Usage, estimated, normalise
from application.wire.usage_record import usage_record
from domain.ledger.lease import Answer
from domain.pricing import PriceInForce, charge_nano


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed when the request was admitted: whose it is, its bounds and its price."""

    key_id: UUID
    alias: str
    bound: Bound
    price: PriceInForce


async def metered(
    raw: bytes | None,
    *,
    deployment: DeploymentView,
    bound: Bound,
    counter: TokenCounter,
    request: bytes,
    spoken: SpokenText,
) -> Usage:
    """The upstream's figures; what it did not report is counted here, in a thread, and marked estimated."""
    usage = normalise(raw, dialect=deployment.usage_dialect, bound=bound)
    if usage is not None and not (usage.needs_input_count or usage.needs_output_count):
        return usage
    return await asyncio.to_thread(_counted, usage, counter, request, spoken, deployment.upstream_model)


def _counted(
    usage: Usage | None, counter: TokenCounter, request: bytes, spoken: SpokenText, model: str
) -> Usage:
    return estimated(
        usage,
        input_tokens=counter.count_messages(request, model=model),
        output_tokens=spoken.scaled(counter.count_text(spoken.text, model=model)),
    )


def rated_nano(usage: Usage, price: PriceInForce) -> int:
    """The cost of `usage` in nano-credits, rounded once; it may be above the hold."""
    return charge_nano(usage.units(), price.price, price.markup_ppm)


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
    )
