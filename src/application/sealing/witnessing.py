"""Has witnesses cosign the newest checkpoint now and then, and publishes it with their cosignatures beside the plain one.

What a witness does or leaves never holds up sealing: this only reads what was sealed, and writes one file of its own. ADR 59.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from application.sealing.directory import SealedDirectory
from application.sealing.submission import SIZE_TYPE, write_submission
from application.sealing.trust import Trust
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.cosignatures import Cosignature, WitnessKey, cosignatures_of
from domain.sealing.notes import BadNote
from domain.sealing.tree import consistency_path

_OK: Final = 200
_CONFLICT: Final = 409

log = structlog.get_logger()


class WitnessAway(Exception):
    """A witness cannot be reached, or answers what none does; the message holds nothing of its answer."""


class WitnessAnswer(msgspec.Struct, frozen=True):
    """What a witness said."""

    status: int
    media_type: str
    body: bytes


Submit = Callable[[str, bytes], WitnessAnswer]
"""Post a body to a witness's URL prefix. Raises `WitnessAway`."""


class WitnessAddress(msgspec.Struct, frozen=True):
    """Where a witness is, and whose cosignature counts for it."""

    url: str
    key: WitnessKey


class Witnessing:
    """One of it for a log. Not safe to use from threads."""

    def __init__(
        self,
        *,
        directory: SealedDirectory,
        trust: Trust,
        witnesses: Sequence[WitnessAddress],
        submit: Submit,
        quorum: int = 1,
    ) -> None:
        self._directory = directory
        self._trust = trust
        self._witnesses = tuple(witnesses)
        self._submit = submit
        self._quorum = quorum
        self._seen: dict[WitnessKey, int] = {}  # the size that each has cosigned last, as far as we know
        self._done = 0

    def run_once(self) -> int:
        """Ask all witnesses for the newest checkpoint, if it has grown; how many have cosigned it.

        Raises:
            BadNote, TilesMissing, OSError: what is in the directory cannot be used now; nothing was asked.
        """
        note = self._directory.checkpoint()
        if note is None:
            return 0
        signed = self._trust.open(note)
        if signed.size <= self._done:
            return 0
        found = [one for one in (self._ask(witness, note, signed) for witness in self._witnesses) if one]
        if len(found) >= self._quorum:
            self._directory.write_witnessed(note + b"".join(one.line for one in found))
            self._done = signed.size
        return len(found)

    def _ask(self, witness: WitnessAddress, note: bytes, signed: Checkpoint) -> Cosignature | None:
        try:
            found = self._cosigned(witness, note, signed)
        except (WitnessAway, BadNote) as error:
            log.warning("witness_failed", witness=witness.key.name, reason=str(error))
            return None
        self._seen[witness.key] = signed.size
        return found

    def _cosigned(self, witness: WitnessAddress, note: bytes, signed: Checkpoint) -> Cosignature:
        """Its cosignature. Raises `WitnessAway`; `BadNote`: it is not right."""
        answer = self._post(witness, note, signed)
        if answer.status == _CONFLICT and answer.media_type.startswith(SIZE_TYPE):
            self._seen[witness.key] = _size(answer.body)
            answer = self._post(witness, note, signed)
        if answer.status != _OK:
            raise WitnessAway(f"it answers {answer.status}")
        found = cosignatures_of(note + answer.body, [witness.key], self._trust.verify)
        if not found:
            raise WitnessAway("its answer has no cosignature of its key")
        return found[0]

    def _post(self, witness: WitnessAddress, note: bytes, signed: Checkpoint) -> WitnessAnswer:
        old_size = self._seen.get(witness.key, 0)
        if old_size > signed.size:
            raise WitnessAway(f"it has cosigned {old_size} events of this log, which has {signed.size}")
        subtrees = self._directory.subtrees(signed.size)
        path = consistency_path(subtrees, old_size, signed.size) if old_size else []
        return self._submit(witness.url, write_submission(old_size, path, note))


def read_witnessed(
    note: bytes, keys: Sequence[WitnessKey], trust: Trust
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    """A checkpoint, and who of `keys` has cosigned it.

    Raises:
        BadNote: it is not the log's, or a cosignature is not right.
    """
    return trust.open(note), cosignatures_of(note, keys, trust.verify)


def _size(body: bytes) -> int:
    """The size that a witness has cosigned last. Raises `WitnessAway`."""
    text = body.removesuffix(b"\n")
    if not text.isdigit() or len(text) > 19:  # noqa: PLR2004  # digits of a checkpoint's size
        raise WitnessAway("it answers 409 without a size")
    return int(text)
