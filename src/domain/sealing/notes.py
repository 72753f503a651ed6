"""C2SP signed notes and their Ed25519 keys. What signs and what verifies comes from outside.

A note is bytes: a text that ends with a newline, an empty line, signature lines.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec

NOTE_BYTES_MAX: Final = 1 << 20
SIGNATURES_MAX: Final = 100
_ED25519: Final = b"\x01"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_NAME: Final = re.compile(r"[A-Za-z0-9][!-*,-~]{0,254}")
_PRIVATE: Final = "PRIVATE+KEY+"
_DASH: Final = "\N{EM DASH} "

Verify = Callable[[bytes, bytes, bytes], bool]
"""Whether, of an Ed25519 public key, a signature and a message, the second is the first's of the third."""


class BadKey(Exception):
    """A key is not of the form that signed notes have."""


class BadNote(Exception):
    """A note is malformed, or nobody who is trusted signed it as it is; nothing in it may be believed."""


class PublicKey(msgspec.Struct, frozen=True):
    """A key that verifies, by its name."""

    name: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.key)}"


class Signer(Protocol):
    """A key that signs."""

    @property
    def public(self) -> PublicKey: ...
    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""
        ...


def public_key(text: str) -> PublicKey:
    """Read `name+id+key`.

    Raises:
        BadKey: it has another form, is not Ed25519, or its id is not the key's.
    """
    name, key_id, key = _key_parts(text)
    found = PublicKey(name, key)
    if found.key_id != key_id:
        raise BadKey(f"the id in the key of {name} is not that of the key")
    return found


def private_key_text(public: PublicKey, seed: bytes) -> str:
    return f"{_PRIVATE}{public.name}+{public.key_id.hex()}+{_base64(_ED25519 + seed)}"


def read_private_key(text: str) -> tuple[str, bytes, bytes]:
    """Name, key id and seed; whoever derives the public key compares the id.

    Raises:
        BadKey: it is no private key of Ed25519 in this form.
    """
    if not text.startswith(_PRIVATE):
        raise BadKey("it does not begin with PRIVATE+KEY+")
    return _key_parts(text.removeprefix(_PRIVATE))


def key_name(text: str) -> str:
    """A name that a log may have.

    Raises:
        BadKey: it is too long, or has blanks or a plus.
    """
    if not _NAME.fullmatch(text):
        raise BadKey(
            "a name is printable ASCII, begins with a letter or digit, and has neither blanks nor '+'"
        )
    return text


def receipts_name(log_name: str) -> str:
    """The name of the key that signs a log's receipts."""
    return f"{log_name}/receipts"


def sign_note(text: bytes, signer: Signer) -> bytes:
    """The note of `text`, which ends with a newline."""
    assert text.endswith(b"\n")
    return text + b"\n" + signature_line(signer.public, signer.sign(text))


def signature_line(public: PublicKey, signature: bytes) -> bytes:
    return line_of(public.name, public.key_id, signature)


def line_of(name: str, key_id: bytes, signature: bytes) -> bytes:
    """A signature line, as `parse_note` gives its parts."""
    return f"{_DASH}{name} {_base64(key_id + signature)}\n".encode()


def parse_note(note: bytes) -> tuple[bytes, Sequence[tuple[str, bytes, bytes]]]:
    """The text of a note and its signature lines: name, key id, signature. Nothing of it is checked.

    Raises:
        BadNote: it is malformed.
    """
    return _parse(note)


def open_note(note: bytes, keys: Iterable[PublicKey], verify: Verify) -> tuple[bytes, tuple[PublicKey, ...]]:
    """The text of a note, and which of `keys` signed it: at least one.

    Raises:
        BadNote: it is malformed, a signature of one of `keys` is not right, or there is none.
    """
    text, signatures = _parse(note)
    known = {(key.name, key.key_id): key for key in keys}
    signers = []
    for name, key_id, signature in signatures:
        key = known.pop((name, key_id), None)
        if key is None:
            continue
        if not verify(key.key, signature, text):
            raise BadNote(f"the signature of {name} is not right")
        signers.append(key)
    if not signers:
        raise BadNote("no key that is trusted signed it")
    return text, tuple(signers)


def _parse(note: bytes) -> tuple[bytes, Sequence[tuple[str, bytes, bytes]]]:
    if len(note) > NOTE_BYTES_MAX:
        raise BadNote("it is too long")
    head, separator, tail = note.rpartition(b"\n\n")
    if not separator or not tail.endswith(b"\n"):
        raise BadNote("it has no signatures")
    try:
        lines = tail.decode().split("\n")[:-1]
    except UnicodeDecodeError:
        raise BadNote("it is no UTF-8") from None
    if len(lines) > SIGNATURES_MAX:
        raise BadNote("it has too many signatures")
    return head + b"\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = _from_base64(encoded)
    if not line.startswith(_DASH) or not name or "+" in name or data is None or len(data) <= _ID_BYTES:
        raise BadNote("a signature line is malformed")
    return name, data[:_ID_BYTES], data[_ID_BYTES:]


def read_key(text: str, *, kind: bytes) -> tuple[str, bytes, bytes]:
    """Name, key id and the 32 bytes of an Ed25519 key that is used in another way than for notes: cosignatures.

    Raises:
        BadKey: it is of another form or kind.
    """
    return _key_parts(text, kind=kind)


def key_text(name: str, key_id: bytes, kind: bytes, key: bytes) -> str:
    """The key as `read_key` reads it."""
    return f"{name}+{key_id.hex()}+{_base64(kind + key)}"


def _key_parts(text: str, *, kind: bytes = _ED25519) -> tuple[str, bytes, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3 or not re.fullmatch("[0-9a-f]{8}", parts[1]):  # noqa: PLR2004  # the form above
        raise BadKey("it is not of the form name+id+key")
    data = _from_base64(parts[2])
    if data is None or data[:1] != kind or len(data) != 1 + _KEY_BYTES:
        raise BadKey("it is no Ed25519 key")
    return key_name(parts[0]), bytes.fromhex(parts[1]), data[1:]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes | None:
    """The bytes, if this is the one way to write them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _base64(data) == text else None
