"""Passes a stream of responses on in its own dialect, and tells its client when it breaks."""

from collections.abc import Mapping

from application.dialects.openai.event_relay import EventRelay
from application.dialects.openai.responses.failure import failure_events
from application.dialects.openai.responses.reader import ResponsesReader


class ResponsesRelay(EventRelay):
    """The `Relay` of responses. Events that nobody knows pass; the one that completes or ends the response is withheld."""

    def __init__(self) -> None:
        self._reader = ResponsesReader()
        super().__init__(self._reader)

    @property
    def service_tier(self) -> str | None:
        """The tier that answered, once the stream told it."""
        return self._reader.service_tier

    @property
    def hosted_calls(self) -> Mapping[str, int]:
        """Calls of tools that the provider ran, by the type of their items."""
        return self._reader.hosted_calls

    def error(self, code: str, message: str) -> bytes:
        """The event that tells the client inside its stream that no more will come; it continues the numbers."""
        return failure_events(code, message, sequence_number=self._reader.sequence_number + 1, response=None)
