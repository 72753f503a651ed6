"""Reads a form on its way: its fields are kept, its files are counted."""

from typing import Any, Final

import msgspec

from application.dialects.openai.multipart.scanner import MultipartScanner, Part, malformed
from application.wire.errors import InvalidRequest

FIELD_BYTES_MAX: Final = 256 * 1024
FIELDS_BYTES_MAX: Final = 1024 * 1024
START_BYTES: Final = 64
_FLAGS: Final = ("stream",)
_COUNTS: Final = ("n", "partial_images", "frame_count")
_DIGITS_MAX: Final = 9


class File(msgspec.Struct, kw_only=True):
    """A file of a form: no more of it than that it was there."""

    name: str  #: of the field
    suffix: str  #: of the filename in lower case, without its dot
    content_type: str | None
    size_bytes: int = 0  #: so far
    start: bytes = b""  #: the first bytes, which tell its kind


class FormReader:
    """One form. `feed` raises `InvalidRequest` for what is malformed or too large; nothing was sent then by us."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, list[str]] = {}
        self.files: list[File] = []
        self.form_bytes = 0
        self.model_bytes: int | None = None  #: of the model's value, if it came
        self._scanner = MultipartScanner(boundary, self)
        self._part: Part | None = None
        self._file: File | None = None
        self._value = bytearray()
        self._fields_bytes = 0

    @property
    def model(self) -> str | None:
        """The value of the field, once it came."""
        values = self.fields.get("model")
        return values[0] if values else None

    @property
    def finished(self) -> bool:
        return self._scanner.finished

    def feed(self, piece: bytes) -> None:
        self.form_bytes += len(piece)
        self._scanner.feed(piece)

    def finish(self) -> None:
        self._scanner.finish()

    def request(self) -> dict[str, Any]:
        """The fields as a JSON body would have them: a list where the name ends in brackets, counts and flags by name."""
        return {
            name.removesuffix("[]"): values if name.endswith("[]") else _typed(name, values[0])
            for name, values in self.fields.items()
        }

    # --- what the scanner finds

    def starts(self, part: Part) -> None:
        self._part = part
        self._value.clear()
        self._file = None
        if part.filename is not None:
            self._file = File(
                name=part.name,
                suffix=part.filename.rpartition(".")[2].lower() if "." in part.filename else "",
                content_type=part.content_type,
            )
            self.files.append(self._file)
            if part.name != "model":
                return
        elif part.name not in self.fields or part.name.endswith("[]"):
            return
        raise InvalidRequest(
            "invalid_multipart", part.name, f"'{part.name}' must be in the form once, as a plain field."
        )

    def data(self, piece: bytes) -> None:
        if self._file is not None:
            self._file.size_bytes += len(piece)
            if len(self._file.start) < START_BYTES:
                self._file.start += piece[: START_BYTES - len(self._file.start)]
            return
        self._value += piece
        self._fields_bytes += len(piece)
        if len(self._value) > FIELD_BYTES_MAX or self._fields_bytes > FIELDS_BYTES_MAX:
            raise InvalidRequest("request_too_large", None, "The fields of the form are too long.")

    def ends(self) -> None:
        if self._part is None or self._file is not None:
            return
        try:
            value = self._value.decode()
        except UnicodeDecodeError:
            raise malformed("a field is not valid UTF-8", self._part.name) from None
        if self._part.name == "model":
            self.model_bytes = len(self._value)
        self.fields.setdefault(self._part.name, []).append(value)

    def closes(self) -> None:
        pass

    def raw(self, piece: bytes) -> None:
        pass


def _typed(name: str, value: str) -> Any:
    """Forms have text only. What is not spelled as a count or a flag stays text, to be refused as one."""
    if name in _FLAGS and value in ("true", "false"):
        return value == "true"
    if name in _COUNTS and value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX:
        return int(value)
    return value
