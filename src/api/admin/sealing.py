"""The GET routes of the sealed log and of receipts. A process that was not told where the first is answers 503."""

from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from api.admin.access import PERMISSION
from api.admin.codes import BadRequest
from api.admin.tools import AdminTools
from application.receipts.issuing import OperatorReceipt
from application.sealing.reading import Consistency, SealedEvent, SealedLog, SealStatus

_READ = {PERMISSION: "read"}
OldSize = Annotated[int, QueryParameter(name="from", ge=1)]


def sealing_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """How far the log is sealed, proofs, and receipts."""

    @get("/seal", opt=_READ, sync_to_thread=True)
    def read_seal() -> SealStatus:
        """How far the log is sealed, with the newest checkpoint."""
        return _sealed(tools).status()

    @get("/seal/proofs/{position:int}", opt=_READ, sync_to_thread=True)
    def read_seal_proof(position: FromPath[int]) -> SealedEvent:
        """The event at a position, and the proof that it is in the sealed log."""
        return _sealed(tools).prove(position)

    @get("/seal/consistency", opt=_READ, sync_to_thread=True)
    def read_seal_consistency(
        old_size: OldSize, size: Annotated[int | None, QueryParameter(name="to")] = None
    ) -> Consistency:
        """The proof that the log `from` is the beginning of the log `to`; both are numbers of events."""
        return _sealed(tools).consistency(old_size=old_size, size=size)

    @get("/receipts/{request_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_receipt(request_id: FromPath[UUID]) -> OperatorReceipt:
        """The receipt of a request as its customer gets it, with the event's line and all that is stored of its attempts."""
        return tools.receipts.issue_to_operator(request_id)

    return [read_seal, read_seal_proof, read_seal_consistency, read_receipt]


def _sealed(tools: AdminTools) -> SealedLog:
    if tools.sealed is None:
        raise BadRequest("SEAL_DIR and SEAL_KEY are not set in this process", code="sealing_off")
    return tools.sealed
