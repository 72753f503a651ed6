"""Events as stored facts: their base type, their topics and their bytes.

An event is a frozen struct with an explicit, versioned `TOPIC`. Its bytes are compact JSON with fields
in declaration order, so an auditor needs no Python to read the log. Formats only grow: add optional
fields, never rename or reuse one, and keep one golden sample per topic in `tests/golden/events/`.
"""

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of every stored fact. Times are Unix microseconds, money is integer nano-credits.

    Facts never form a cycle, so the garbage collector, which would look at each of a million, is told not to.
    """

    TOPIC: ClassVar[str]


class UnknownTopic(Exception):
    """The log holds a topic that this code does not know: it is older than the log; nothing was read past it."""


class TopicRegistry:
    """Maps topics to event types; built once from the unions of all contexts by `domain.topics`."""

    def __init__(self, *event_types: type[Event]) -> None:
        self._types: dict[str, type[Event]] = {}
        self._decoders: dict[str, msgspec.json.Decoder[Event]] = {}
        for event_type in event_types:
            topic = event_type.TOPIC
            if topic in self._types:
                raise ValueError(f"topic {topic} is registered twice")
            self._types[topic] = event_type
            self._decoders[topic] = msgspec.json.Decoder(event_type)

    def topics(self) -> dict[str, type[Event]]:
        return dict(self._types)

    def decode(self, topic: str, state: bytes) -> Event:
        """Read stored bytes back.

        Raises:
            UnknownTopic: no type is registered for `topic`.
            msgspec.ValidationError: the bytes do not fit the type; the log is damaged.
        """
        try:
            decoder = self._decoders[topic]
        except KeyError:
            raise UnknownTopic(topic) from None
        return decoder.decode(state)


_encoder = msgspec.json.Encoder(order="deterministic")


def encode(event: Event) -> bytes:
    """The stored bytes of an event: compact JSON, the same for the same value on every platform."""
    return _encoder.encode(event)
