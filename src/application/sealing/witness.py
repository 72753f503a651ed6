"""A witness: signs what it sees of logs, as long as each checkpoint goes on from the one that it signed last.

C2SP tlog-witness. Anyone can run one, a customer above all; it needs nothing of the installation but the log's public
key. What it has signed is on disk before it is told.
"""

import threading
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from application.clock import Clock
from application.sealing.submission import SIZE_TYPE, Submission, read_submission
from domain.sealing.checking import BadProof, check_consistency
from domain.sealing.checkpoint import Checkpoint, open_checkpoint
from domain.sealing.cosignatures import cosign
from domain.sealing.notes import BadNote, PublicKey, Signer, Verify, parse_note
from domain.sealing.tree import EMPTY_ROOT

_SECOND_US: Final = 1_000_000
_TEXT: Final = "text/plain; charset=utf-8"


class Reply(msgspec.Struct, frozen=True):
    """What is answered over HTTP."""

    status: int
    body: bytes
    media_type: str = _TEXT


class WitnessState(Protocol):
    """The newest checkpoint that was signed of each log, as the text of a note. Raises `OSError`."""

    def load(self, origin: str) -> bytes | None: ...

    def save(self, origin: str, note: bytes) -> None:
        """It is on disk when this returns."""
        ...


class Witness:
    """Safe to use from threads: one submission at a time."""

    def __init__(
        self, *, signer: Signer, logs: Sequence[PublicKey], state: WitnessState, clock: Clock, verify: Verify
    ) -> None:
        self._signer = signer
        self._logs = tuple(logs)
        self._state = state
        self._clock = clock
        self._verify = verify
        self._turn = threading.Lock()

    def add_checkpoint(self, body: bytes) -> Reply:
        """Judge a submission; 200 with the cosignature if all is well. Raises `OSError`: nothing was signed."""
        try:
            submission = read_submission(body)
            text, _ = parse_note(submission.note)
        except BadNote as error:
            return _refused(400, str(error))
        origin = text.partition(b"\n")[0].decode(errors="replace")
        keys = [key for key in self._logs if key.name == origin]
        if not keys:
            return _refused(404, "this log is not known here")
        try:
            offered = open_checkpoint(submission.note, keys, self._verify)
        except BadNote as error:
            return _refused(403, str(error))
        with self._turn:
            return self._judge(submission, offered, keys)

    def _judge(self, submission: Submission, offered: Checkpoint, keys: Sequence[PublicKey]) -> Reply:
        if submission.old_size > offered.size:
            return _refused(400, "the old size is above the checkpoint's")
        seen = self._seen(offered.origin, keys)
        if submission.old_size != seen.size or (offered.size == seen.size and offered.root != seen.root):
            return Reply(409, f"{seen.size}\n".encode(), SIZE_TYPE)
        try:
            check_consistency(
                old_size=seen.size,
                old_root=seen.root,
                size=offered.size,
                root=offered.root,
                path=submission.path,
            )
        except BadProof as error:
            return _refused(422, str(error))
        self._state.save(offered.origin, submission.note)
        text, _ = parse_note(submission.note)
        line = cosign(text, time_s=self._clock.now_us() // _SECOND_US, signer=self._signer)
        return Reply(200, line)

    def _seen(self, origin: str, keys: Sequence[PublicKey]) -> Checkpoint:
        note = self._state.load(origin)
        return (
            Checkpoint(origin, 0, EMPTY_ROOT) if note is None else open_checkpoint(note, keys, self._verify)
        )


def _refused(status: int, words: str) -> Reply:
    return Reply(status, f"{words}\n".encode())
