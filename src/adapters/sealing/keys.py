"""The settings `SEAL_KEY` and `RECEIPT_KEY`: keys of signed notes, separated by commas or line ends.

The first is the key in use, private where it signs and public where it only has to be known. Behind it may stand the
public keys of the past, so that what they signed stays believed.
"""

import re
from typing import Final

from adapters.sealing.ed25519 import Ed25519Signer, verify
from application.sealing.trust import Trust
from domain.sealing.notes import BadKey, PublicKey, public_key

_PRIVATE: Final = "PRIVATE+KEY+"


class SealKeys:
    """Shows public keys only."""

    def __init__(self, signer: Ed25519Signer | None, public: tuple[PublicKey, ...]) -> None:
        self.signer = signer
        self.public = public

    @property
    def trust(self) -> Trust:
        return Trust(self.public, verify)


def parse_seal_keys(text: str) -> SealKeys:
    """Read the setting.

    Raises:
        BadKey: it is empty, an entry is no key, or the keys have different names. No key is quoted.
    """
    entries = list(filter(None, re.split(r"[,\s]+", text)))
    if not entries:
        raise BadKey("no key is set")
    signer = Ed25519Signer.read(entries[0]) if entries[0].startswith(_PRIVATE) else None
    first = signer.public if signer else public_key(entries[0])
    known = (first, *(public_key(entry) for entry in entries[1:]))
    if len({key.name for key in known}) > 1:
        raise BadKey("the keys have different names: a log keeps its name for ever")
    return SealKeys(signer, known)
