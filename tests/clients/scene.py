"""What a scripted model is asked and what it says, in no dialect: the middle that `as_openai` and the others share.

The answer follows from the request alone, so that a client's test can tell whether everything it sent arrived: what it
was given comes back as text, and what it could call is called.
"""

import base64
import json
import re
from typing import Any, Final

import msgspec

Json = dict[str, Any]
SLOW: Final = "slowly"  #: a prompt with this word is answered tick by tick for half a minute
BROKEN: Final = "unfinished"  #: with this one, the connection is cut after some events
BOTH: Final = "both"  #: with this one, every tool is called and not the first alone
TICK: Final = "tick "
TICKS: Final = 1_500
TICK_S: Final = 0.02
INPUT_TOKENS: Final = 21  #: of them `CACHED_TOKENS` from a cache
CACHED_TOKENS: Final = 5
OUTPUT_TOKENS: Final = 9
_FAIL: Final = re.compile(r"\bfail (\d{3})\b")


class Image(msgspec.Struct, frozen=True):
    media_type: str
    data: str  #: base64

    @classmethod
    def of_url(cls, url: str) -> "Image":
        head, _, data = url.partition(",")
        return cls(head.removeprefix("data:").removesuffix(";base64"), data)

    def __str__(self) -> str:
        return f"{self.media_type} of {len(base64.b64decode(self.data))} bytes"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request understood. `text` is the last that the user said."""

    model: str
    stream: bool
    text: str
    images: tuple[Image, ...] = ()
    tools: tuple[tuple[str, Json], ...] = ()  #: names with schemas
    results: tuple[str, ...] = ()  #: of the tools that were called before
    schema: Json | None = None  #: of the answer

    @property
    def slow(self) -> bool:
        return SLOW in self.text

    @property
    def refused(self) -> int | None:
        """The status to refuse with."""
        found = _FAIL.search(self.text)
        return int(found[1]) if found else None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`calls` are names with arguments; an answer has either text or calls."""

    text: str = ""
    calls: tuple[tuple[str, Json], ...] = ()

    @property
    def pieces(self) -> list[str]:
        """The text in as many pieces as it has words."""
        return re.findall(r"\S+\s*", self.text)


def answer_to(asked: Asked) -> Answer:
    """What a model of good will would say."""
    if asked.results:
        return Answer(text=f"The tools say: {'; '.join(sorted(asked.results))}")
    if asked.tools:
        called = asked.tools if BOTH in asked.text else asked.tools[:1]
        return Answer(calls=tuple((name, _example(schema)) for name, schema in called))
    if asked.schema is not None:
        return Answer(text=json.dumps(_example(asked.schema)))
    if asked.images:
        return Answer(text=f"I see {' and '.join(map(str, asked.images))}")
    return Answer(text=f"You said: {asked.text}")


def _example(schema: Json, name: str = "") -> Any:
    """A value that the schema takes, if it is a simple one."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    match kind.lower() if isinstance(kind, str) else kind[0].lower():
        case "object":
            return {key: _example(member, key) for key, member in schema.get("properties", {}).items()}
        case "array":
            return [_example(schema["items"], name)]
        case "integer" | "number":
            return 36
        case "boolean":
            return True
    return "Graz" if name == "city" else "Ada"
