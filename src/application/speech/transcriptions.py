"""Text from speech, in its language or in English: a form goes up, a document or a stream of events comes back.

A price must name seconds of sound; zero says that tokens pay for them. Plain text tells nothing of its cost, so it is
asked of the provider as JSON and told to the client as text.
"""

from typing import Final

from application.dialects.openai.audio.transcription import (
    TRANSCRIPTIONS_PATH,
    TRANSLATIONS_PATH,
    TranscriptionHead,
    parse_transcription,
    read_transcription,
)
from application.dialects.openai.audio.transcription_relay import TranscriptionRelay
from application.dialects.openai.document import parsed
from application.dialects.openai.units import Used
from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.speech.port import Asking, Head, Speech, Whole
from application.speech.units import UnitsHead, UnitSpeech, bound_in_units, require_price, whole_of
from application.speech.upload import FormBody, Upload
from application.wire.bounds import Bound, ModelLimits
from application.wire.errors import InvalidRequest
from application.wire.prompt import PromptText
from domain.catalogue.deployment_spec import Operation
from domain.pricing import Price

_TEXT: Final = b"text/plain; charset=utf-8"
_AS_JSON: Final = {"response_format": "json"}


class TranscriptionRequest(UnitsHead, frozen=True, kw_only=True):
    """A head with the format of the answer."""

    response_format: str


def _request(upload: Upload) -> TranscriptionRequest:
    files = upload.form.files
    head: TranscriptionHead = parse_transcription(
        upload.form, upload_bytes=max((file.size_bytes for file in files), default=0)
    )
    return TranscriptionRequest(
        model=head.model,
        most=head.most,
        stream=head.stream,
        unpriced=head.unpriced,
        response_format=head.response_format,
    )


class _FormEndpoint:
    takes_form = True

    def parse(self, body: bytes) -> UnitsHead:
        raise NotImplementedError

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:  # noqa: ARG002  the file bounds it
        assert isinstance(head, UnitsHead)
        require_price(price.audio_ms_nano_per_million, model=head.model, of="seconds of sound")
        return bound_in_units(head.most, price)

    def prompt(self, asking: Asking) -> PromptText | None:  # noqa: ARG002  sound is bounded, not counted
        return None


class TranscriptionsEndpoint(_FormEndpoint):
    """`POST /v1/audio/transcriptions`."""

    name = "transcriptions"
    serving = frozenset[Operation](("transcriptions",))

    def parse_form(self, upload: Upload) -> TranscriptionRequest:
        return _request(upload)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeTranscription(asking, deployment)


class TranslationsEndpoint(_FormEndpoint):
    """`POST /v1/audio/translations`."""

    name = "translations"
    serving = frozenset[Operation](("translations",))

    def parse_form(self, upload: Upload) -> TranscriptionRequest:
        head = _request(upload)
        if head.stream:
            raise InvalidRequest("unsupported_value", "stream", "'stream' is not offered for translations.")
        return head

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeTranslation(asking, deployment)


class NativeTranscription(UnitSpeech):
    """A deployment of the OpenAI dialect."""

    __slots__ = ()
    path: bytes = TRANSCRIPTIONS_PATH

    @property
    def _format(self) -> str:
        head = self.asking.head
        assert isinstance(head, TranscriptionRequest)
        return head.response_format

    def ask(self) -> Asked:
        self.require_openai()
        upload = self.asking.upload
        assert upload is not None
        values = _AS_JSON if self._format == "text" else None
        return Asked(
            path=self.path,
            body=FormBody(upload, model=self.deployment.upstream_model, values=values),
            content_type=upload.content_type,
            takes="either",
        )

    def read(self, body: bytes) -> Whole:
        wanted = self._format
        is_json = wanted not in ("srt", "vtt") or body.lstrip().startswith(b"{")
        answer = read_transcription(body, is_json=is_json)
        if answer.fault is not None or (is_json and wanted != "text"):
            return whole_of(answer)
        said = answer.body
        if is_json:
            said = f"{(parsed(answer.body) or {}).get('text', '')}\n".encode("utf-8", "replace")
        return Whole(body=said, usage_raw=answer.usage_raw, used=answer.used, content_type=_TEXT)

    def relay(self) -> TranscriptionRelay:
        return TranscriptionRelay()

    def told_by(self, relay: Relay | None) -> Used | None:
        return relay.used if isinstance(relay, TranscriptionRelay) else None


class NativeTranslation(NativeTranscription):
    """As a transcription, at another path."""

    __slots__ = ()
    path = TRANSLATIONS_PATH
