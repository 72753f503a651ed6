"""Passes the events of a transcription on."""

from application.dialects.openai.audio.transcription import used_of
from application.dialects.openai.event_relay import EventRelay
from application.dialects.openai.typed_reader import TypedReader
from application.dialects.openai.units import Used


class TranscriptionRelay(EventRelay):
    """The `Relay` of `transcript.text.delta` events; that with the whole text, which has the usage, is withheld."""

    def __init__(self) -> None:
        self._reader = TypedReader(last=frozenset({"transcript.text.done"}), used_of=used_of)
        super().__init__(self._reader)

    @property
    def used(self) -> Used | None:
        return self._reader.used
