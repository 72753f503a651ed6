"""Personal data in events: only ciphertext, under a key that belongs to its subject and lies outside the log.

Destroying the key erases every envelope of the subject at once, wherever copies of the log are, and changes no byte of it.
"""

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.refusal import Refusal


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope. Events carry it in a field named `pii`, and no personal data outside of it."""

    key_id: UUID  #: the subject's key; the erasure of the subject names it too
    ciphertext: bytes  #: AES-256-GCM: nonce (12 bytes), ciphertext and tag; in base64


class SubjectErased(Refusal):
    """Whom this belongs to was erased; nothing about them is kept any more, and nothing was stored."""

    code: ClassVar[str] = "subject_erased"
