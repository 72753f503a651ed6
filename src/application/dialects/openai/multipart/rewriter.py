"""Puts another model into a form while it passes: every byte but of it, and of fields named for it, stays."""

from collections.abc import Mapping

from application.dialects.openai.multipart.scanner import MultipartScanner, Part
from application.wire.errors import InvalidRequest

_INSERTED = b'\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n--%b'


class FormRewriter:
    """One form on its way to one deployment. A form without a model gets one at its end.

    `fields_first`: what the request costs was judged by the fields before its first file. A field that comes later is
    refused, so that nobody can ask for more behind it. `values`: other fields that get another value, if they are there.
    """

    def __init__(
        self,
        boundary: bytes,
        *,
        model: str,
        fields_first: bool = False,
        values: Mapping[str, str] | None = None,
    ) -> None:
        self._boundary = boundary
        self._values = {name: value.encode() for name, value in (values or {}).items()}
        self._model = model.encode()
        self._fields_first = fields_first
        self._scanner = MultipartScanner(boundary, self)
        self._forward: list[bytes] = []
        self._in_replaced = self._had_model = self._had_file = False

    def feed(self, piece: bytes) -> bytes:
        """What may go on.

        Raises:
            InvalidRequest: the form is malformed. What was returned before may have been sent: give the request up.
        """
        self._scanner.feed(piece)
        forward = b"".join(self._forward)
        self._forward.clear()
        return forward

    def finish(self) -> None:
        """The form ended.

        Raises:
            InvalidRequest: it is cut short.
        """
        self._scanner.finish()

    def starts(self, part: Part) -> None:
        if part.filename is not None:
            self._had_file = True
        elif self._had_file and self._fields_first:
            raise InvalidRequest(
                "invalid_multipart", part.name, f"'{part.name}' must come before the files of the form."
            )
        if part.name == "model":
            if self._had_model or part.filename is not None:
                raise InvalidRequest(
                    "invalid_multipart", "model", "'model' must be in the form once, as a plain field."
                )
            self._in_replaced = self._had_model = True
            self._forward.append(self._model)
        elif part.filename is None and part.name in self._values:
            self._in_replaced = True
            self._forward.append(self._values[part.name])

    def data(self, piece: bytes) -> None:
        if not self._in_replaced:
            self._forward.append(piece)

    def ends(self) -> None:
        self._in_replaced = False

    def closes(self) -> None:
        if not self._had_model:
            self._forward.append(_INSERTED % (self._model, self._boundary))

    def raw(self, piece: bytes) -> None:
        self._forward.append(piece)


def growth_bytes(boundary: bytes, *, model: str, model_bytes: int | None) -> int:
    """How much longer a form is for a deployment's model; `model_bytes` is that of the client's, if it has one."""
    size = len(model.encode())
    return size - model_bytes if model_bytes is not None else len(_INSERTED % (b"", boundary)) + size
