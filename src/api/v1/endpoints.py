"""What `/v1` offers: endpoints by path, and the families that it will not offer."""

from typing import Final

from application.speech.chat import ChatEndpoint, openai_envelope
from application.speech.completions import CompletionsEndpoint
from application.speech.embeddings import EmbeddingsEndpoint
from application.speech.images import ImageEditsEndpoint, ImagesEndpoint
from application.speech.messages import MessagesEndpoint, anthropic_envelope
from application.speech.moderations import ModerationsEndpoint
from application.speech.port import Endpoint, Envelope, Headers
from application.speech.rerank import RerankEndpoint
from application.speech.responses import ResponsesEndpoint
from application.speech.sound import SpeechEndpoint
from application.speech.transcriptions import TranscriptionsEndpoint, TranslationsEndpoint

COUNT_TOKENS: Final = b"/messages/count_tokens"
_MESSAGES: Final = b"/messages"
_STATEFUL: Final = (
    b"/assistants",
    b"/batches",
    b"/containers",
    b"/conversations",
    b"/evals",
    b"/files",
    b"/fine_tuning",
    b"/realtime",
    b"/responses/",
    b"/skills",
    b"/threads",
    b"/uploads",
    b"/vector_stores",
    b"/videos",
    b"/messages/batches",
    b"/chat/completions/",
)
STATEFUL: Final = (
    "This gateway keeps nothing at a provider: what one customer stores there could be read by all who share the "
    "account. Only endpoints that answer by themselves are offered."
)


def endpoints() -> dict[bytes, Endpoint]:
    """By path below `/v1`."""
    return {
        b"/audio/speech": SpeechEndpoint(),
        b"/audio/transcriptions": TranscriptionsEndpoint(),
        b"/audio/translations": TranslationsEndpoint(),
        b"/chat/completions": ChatEndpoint(),
        b"/completions": CompletionsEndpoint(),
        b"/embeddings": EmbeddingsEndpoint(),
        b"/images/edits": ImageEditsEndpoint(),
        b"/images/generations": ImagesEndpoint(),
        b"/messages": MessagesEndpoint(),
        b"/moderations": ModerationsEndpoint(),
        b"/rerank": RerankEndpoint(),
        b"/responses": ResponsesEndpoint(),
    }


def is_stateful(path: bytes) -> bool:
    """Whether a path is of a family whose objects live in the operator's account at a provider."""
    return path.startswith(_STATEFUL)


def is_anthropic(headers: Headers) -> bool:
    """Whether a client speaks Anthropic's dialect where the path does not say so."""
    return any(name == b"anthropic-version" for name, _ in headers)


def envelope_of(path: bytes, headers: Headers) -> Envelope:
    """How this client is told of a refusal."""
    if path.startswith(_MESSAGES) or (path.startswith(b"/models") and is_anthropic(headers)):
        return anthropic_envelope
    return openai_envelope
