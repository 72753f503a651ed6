"""What endpoints have in common that are metered in units: images, sound, characters, searches, or tokens of theirs."""

from typing import Final

import msgspec

from application.dialects.openai.units import Answer, Used
from application.dialects.port import Relay
from application.speech.deployed import DeployedSpeech
from application.speech.port import NOTHING_SAID, Whole
from application.wire.bounds import Bound
from application.wire.errors import InvalidRequest
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading
from domain.pricing import Price, Tokens

NOTHING_TOLD: Final = Used(source="request")
_NO_FIGURES: Final = Figures(fresh=0, cached=0, written=0, output=0, reasoning=0)


class UnitsHead(msgspec.Struct, frozen=True, kw_only=True):
    """A `Head`. `most` is the bound of the request, as far as it alone tells it."""

    model: str
    most: Used
    stream: bool = False
    include_usage: bool = False
    unpriced: tuple[str, ...] = ()
    service_tier: str = ""


class UnitSpeech(DeployedSpeech):
    """One deployment of the OpenAI dialect; every endpoint's own adds `ask`, `read` and, with streams, `relay`."""

    __slots__ = ()

    def spoken(self, body: bytes) -> SpokenText:  # noqa: ARG002  usage is never counted in what was said
        return NOTHING_SAID

    def figures(self, reading: Reading) -> Figures:  # noqa: ARG002  `used` says it all
        return _NO_FIGURES

    def used(self, said: Whole | Relay | None) -> Used:
        told = said.used if isinstance(said, Whole) else self.told_by(said)
        return told or NOTHING_TOLD

    def told_by(self, relay: Relay | None) -> Used | None:  # noqa: ARG002  for those that stream
        """What a stream told, or a request that was never answered."""
        return None


def whole_of(answer: Answer) -> Whole:
    return Whole(body=answer.body, usage_raw=answer.usage_raw, used=answer.used, fault=answer.fault)


def bound_in_units(most: Used, price: Price, *, several: bool = True) -> Bound:
    """The bound to hold for. Tokens are in it only if they cost something: a bound of theirs is far above what is used."""
    kinds: tuple[Tokens, ...] = (price, *price.tiers)
    return Bound(
        prompt_tokens=most.input if any(one.dearest_input_nano_per_million for one in kinds) else 0,
        answer_tokens=0,
        output_tokens=most.output if any(one.output_nano_per_million for one in kinds) else 0,
        images=most.images,
        image_size=most.image_size,
        image_quality=most.image_quality,
        audio_ms=most.audio_ms,
        characters=most.characters,
        searches=most.searches,
        several=several,
    )


def require_price(*figures: int | None, model: str, of: str) -> None:
    """Refuse what no price covers. A figure of zero is a price.

    Raises:
        InvalidRequest: none of `figures` is there.
    """
    if all(figure is None for figure in figures):
        raise unpriced(model, of=of)


def unpriced(model: str, *, of: str) -> InvalidRequest:
    return InvalidRequest(
        "unpriced_operation",
        "model",
        f"The model '{model}' is not offered at this URL: it has no price for {of}.",
    )
