"""Charges one request: what was told or counted of its answer, by the terms of the alias that answered."""

from collections.abc import Mapping
from typing import Final

import msgspec

from application.dialects.openai.units import Used
from application.dialects.port import Relay
from application.directory_views import DeploymentView
from application.gateway.attempts import Attempts
from application.gateway.rating import (
    Terms,
    answer_of,
    cost_nano,
    metered,
    metered_in_units,
    rated_nano,
    with_told_tier,
)
from application.gateway.settlement import Settlement
from application.gateway.tiers import told_tier
from application.speech.port import NOTHING_SAID, Asking, Endpoint, Speech
from application.wire.relay import Tail
from application.wire.spoken import SpokenText
from application.wire.tokens import TokenCounter
from application.wire.usage import Usage
from domain.pricing import Price

_NO_TAIL: Final = Tail(b"", complete=False, fault=None)


class Said(msgspec.Struct, frozen=True, gc=False):
    """What of an answer decides its charge."""

    raw: bytes | None = None  #: the usage object
    spoken: SpokenText = NOTHING_SAID
    used: Used | None = None  #: in units
    end: bytes = b""  #: where the service tier would be told
    service_tier: str | None = None  #: already read from there


def said_by(relay: Relay, speech: Speech, tail: Tail = _NO_TAIL) -> Said:
    return Said(
        raw=relay.usage_raw,
        spoken=relay.spoken(),
        used=speech.used(relay),
        end=tail.data,
        service_tier=tail.service_tier,
    )


class Charging:
    """Made for one request; `charge` it once at most."""

    __slots__ = (
        "_asking",
        "_attempts",
        "_counter",
        "_endpoint",
        "_other_terms",
        "_own_terms",
        "_settlement",
        "terms",
        "usage",
    )

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        asking: Asking,
        terms: Terms,
        other_terms: Mapping[str, Terms],
        settlement: Settlement,
        attempts: Attempts,
        counter: TokenCounter,
    ) -> None:
        self.terms = self._own_terms = terms
        self.usage: Usage | None = None  #: what was charged, once known
        self._other_terms = other_terms
        self._endpoint = endpoint
        self._asking = asking
        self._settlement = settlement
        self._attempts = attempts
        self._counter = counter

    def by(self, alias: str) -> None:
        """From here on this alias' terms count."""
        if self._other_terms:
            self.terms = self._other_terms.get(alias, self._own_terms)

    async def charge(
        self,
        deployment: DeploymentView,
        speech: Speech,
        said: Said,
        *,
        result: str,
        first_byte_ms: int,
    ) -> Usage:
        """Returns once the charge is durable. Raises: Refused, as `Settlement.charge` does."""
        terms = self.terms
        if said.used is None:
            usage = await metered(
                said.raw,
                figures=speech.figures,
                model=deployment.upstream_model,
                bound=terms.bound,
                counter=self._counter,
                prompt=lambda: self._endpoint.prompt(self._asking),
                spoken=said.spoken,
            )
        else:
            usage = metered_in_units(said.used, said.raw, terms)
        self.usage = usage
        cost, tiers = deployment.cost, terms.price.price.service_tiers
        if tiers or cost is not None:
            told = said.service_tier or told_tier(said.end, said.raw)
            if tiers:
                terms = with_told_tier(terms, told)
            if cost is not None:
                self._note_cost(usage, cost, told)
        answer = answer_of(
            usage,
            terms=terms,
            deployment=deployment,
            attempts=self._attempts,
            result=result,
            first_byte_ms=first_byte_ms,
            total_ms=self._settlement.total_ms(),
        )
        await self._settlement.charge(rated_nano=rated_nano(usage, terms), answer=answer)
        return usage

    def _note_cost(self, usage: Usage, cost: Price, told: str | None) -> None:
        """Of the attempt that is charged for, the last one."""
        attempt = self._attempts.records[-1]
        taken_nano = cost_nano(
            usage,
            cost,
            asked_tier=self.terms.service_tier,
            told_tier=told,
            started_us=attempt.started_us,
        )
        self._attempts.records[-1] = msgspec.structs.replace(attempt, cost_nano=taken_nano)
