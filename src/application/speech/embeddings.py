"""Embeddings: bytes pass to deployments of the OpenAI dialect, Gemini's get a translation. Metered in tokens."""

from typing import Any, Final

import msgspec

from application.dialects.gemini.embeddings import GeminiEmbeddings
from application.dialects.gemini.usage import embedding_figures
from application.dialects.openai.embeddings import (
    PATH,
    EmbeddingsHead,
    parse_embeddings,
    patch_embeddings,
    read_embeddings,
)
from application.dialects.port import Asked, Target
from application.directory_views import DeploymentView
from application.speech.deployed import TokenSpeech
from application.speech.port import NOTHING_SAID, Asking, Head, JsonEndpoint, Speech, Whole
from application.speech.units import UnitsHead, bound_in_units
from application.wire.bounds import Bound, ModelLimits
from application.wire.prompt import PromptText
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, Usage
from domain.catalogue.deployment_spec import Operation
from domain.pricing import Price

_encode: Final = msgspec.json.Encoder().encode


class EmbeddingsEndpoint(JsonEndpoint):
    """`POST /v1/embeddings`."""

    name = "embeddings"
    serving = frozenset[Operation](("embeddings",))

    def parse(self, body: bytes) -> UnitsHead:
        head: EmbeddingsHead = parse_embeddings(body)
        return UnitsHead(model=head.model, most=head.most, unpriced=head.unpriced)

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:  # noqa: ARG002  each input has a context
        assert isinstance(head, UnitsHead)
        return bound_in_units(head.most, price)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        if deployment.dialect == "gemini":
            return GeminiEmbedding(asking, deployment)
        return NativeEmbeddings(asking, deployment)

    def prompt(self, asking: Asking) -> PromptText | None:
        given = asking.document()["input"]
        items: list[Any] = given if isinstance(given, list) else [given]
        tokens = sum(
            len(item) if isinstance(item, list) else 1 for item in items if not isinstance(item, str)
        )
        return PromptText([item for item in items if isinstance(item, str)], tokens)


class _Embedding(TokenSpeech):
    __slots__ = ()

    def spoken(self, body: bytes) -> SpokenText:  # noqa: ARG002  vectors are no text
        return NOTHING_SAID


class NativeEmbeddings(_Embedding):
    """A deployment of the OpenAI dialect."""

    __slots__ = ()

    def ask(self) -> Asked:
        self.require_openai()
        return Asked(path=PATH, body=patch_embeddings(self.asking.body, model=self.deployment.upstream_model))

    def read(self, body: bytes) -> Whole:
        answer = read_embeddings(body)
        return Whole(body=answer.body, usage_raw=answer.usage_raw, fault=answer.fault)

    def figures(self, reading: Reading) -> Figures:
        tokens = reading.figure("prompt_tokens")
        if tokens is None or tokens < 0:
            tokens = reading.figure("total_tokens")
        if tokens is None or tokens < 0:
            reading.flag("input_missing")
        return Figures(fresh=max(tokens or 0, 0), cached=0, written=0, output=0, reasoning=0)


class GeminiEmbedding(_Embedding):
    """A deployment of the Gemini dialect. Its batches tell no usage; the answer then gets what was counted here."""

    __slots__ = ()

    def ask(self) -> Asked:
        target = Target(model=self.deployment.upstream_model, output_tokens=0, traits=self.deployment.traits)
        return GeminiEmbeddings().ask(self.asking.document(), target)

    def read(self, body: bytes) -> Whole:
        asking = self.asking
        read = GeminiEmbeddings().read(body, alias=asking.head.model, request=asking.document())
        answer = read.answer
        if answer is None:
            return Whole(body=b"", usage_raw=read.usage_raw, fault=read.fault or "garbage")

        def complete(usage: Usage) -> bytes:
            counted = {"prompt_tokens": usage.input, "total_tokens": usage.input}
            return _encode({**answer, "usage": counted})

        return Whole(body=b"", usage_raw=read.usage_raw, complete=complete)

    def figures(self, reading: Reading) -> Figures:
        return embedding_figures(reading)
