"""Scripts: how one answer is to behave. They come from a standing rule, from the model's name and from the body.

The later one wins field by field: rule, then model name, then `metadata.sandbox` of the body (a JSON object as text).
"""

from typing import Annotated, Any, Final

import msgspec

from sandbox.errors import Refused

Ms = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]
TOKENS_MAX: Final = 200_000


class BadScript(Refused):
    """A script cannot be read or asks for what does not exist; the request is refused, so no test passes by accident."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message, code="sandbox_bad_script", param="metadata.sandbox")


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every field is optional. Delays are milliseconds, sizes bytes."""

    fault: str | None = None
    """A name of `GET /_sandbox/faults`."""
    tokens: Annotated[int, msgspec.Meta(ge=0, le=TOKENS_MAX)] | None = None
    """How long the answer wants to be; the request's own limit still cuts it, with `finish_reason: length`."""
    chunks: Annotated[int, msgspec.Meta(ge=1, le=TOKENS_MAX)] | None = None
    """Content chunks of a stream; default one token each. An answer grows to at least this many tokens."""
    reasoning_tokens: Annotated[int, msgspec.Meta(ge=0, le=TOKENS_MAX)] | None = None
    """Hidden tokens, part of the completion tokens and of the request's limit."""
    cached_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Prompt tokens reported as read from a cache; at most the prompt."""
    first_byte_ms: Ms | None = None
    chunk_ms: Ms | None = None
    """Wait before each event of a stream. 0: each in its own packet. Absent: all at once, as the socket takes them."""
    after_chunks: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Content chunks that go out before a mid-stream fault strikes; default half of them."""
    drip_ms: Ms | None = None
    """Wait between the single bytes of `drip` and `drip_all`; default 1."""
    hang_ms: Ms | None = None
    """How long a hang lasts before the connection is cut; default ten minutes."""
    size_bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 34)] | None = None
    """Size of what a flood fault sends (lines, bombs, headers, endless answers)."""
    status: Annotated[int, msgspec.Meta(ge=200, le=999)] | None = None
    """HTTP status of the fault `status`; default 500."""
    shape: str | None = None
    """Provider whose error body a status fault sends: openai, xai, mistral, gemini, ...; default openai."""
    retry_after: str | None = None
    """A `retry-after` header on a status fault, verbatim."""
    location: str | None = None
    """Target of `redirect`."""
    usage: Any = None
    """What `usage_custom` reports, verbatim."""

    def over(self, base: "Script") -> "Script":
        """This script, with what it leaves open taken from `base`."""
        if base == EMPTY:
            return self
        return msgspec.structs.replace(
            base,
            **{field: value for field, value in msgspec.structs.asdict(self).items() if value is not None},
        )


EMPTY: Final = Script()

_decoder: Final = msgspec.json.Decoder(Script)


def parse(text: str) -> Script:
    """Read `metadata.sandbox`.

    Raises:
        BadScript: not a JSON object of known fields in their ranges.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadScript(f"metadata.sandbox: {error}") from None
