"""What was signed of the log, beside its lines: the checkpoint and, if the lines end before it, the proof that they lead to it."""

from typing import Final

from application.exporting.ports import ExportFolder
from application.sealing.reading import NotSealed, SealedLog, SealStatus

CHECKPOINT: Final = "checkpoint"
CONSISTENCY: Final = "consistency"


class Seal:
    """The newest checkpoint as it was when the export began, so that none is of more than the log had then."""

    def __init__(self, sealed: SealedLog | None) -> None:
        """Raises `SealBroken`: nothing should leave of a log that is not what was signed."""
        self._sealed = sealed
        self._status = _status(sealed)

    def write(self, folder: ExportFolder, *, events: int) -> None:
        """Nothing, if nothing is sealed."""
        if self._status is None or self._sealed is None:
            return
        with folder.create(CHECKPOINT) as file:
            file.write(self._status.checkpoint.encode())
        if 0 < events < self._status.size:
            proof = self._sealed.consistency(old_size=events, size=self._status.size)
            head = f"tokenok-consistency {events} {self._status.size}"
            with folder.create(CONSISTENCY) as file:
                file.write("".join(f"{line}\n" for line in (head, *proof.path)).encode())


def _status(sealed: SealedLog | None) -> SealStatus | None:
    try:
        return None if sealed is None else sealed.status()
    except NotSealed:
        return None
