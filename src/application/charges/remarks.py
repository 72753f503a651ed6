"""What customers write about a charge that they dispute: sealed in the log with the account's key, opened for who looks at it."""

from uuid import UUID

import msgspec

from application.charges.case import read_case
from application.command import Ports
from application.privacy import PersonalData
from domain.ledger.charges import ChargeDisputed, DisputeCause
from domain.privacy import Sealed
from domain.refusal import NotFound
from domain.text import REASON_CHARS_MAX, printable


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a charge was disputed. No remark: none was made, or the account's personal data was erased."""

    cause: DisputeCause
    remark: str | None
    charge_nano: int  #: what the customer had paid for the request until then
    disputed_by: str
    disputed_us: int


class Disputes(msgspec.Struct, frozen=True, kw_only=True):
    """All of one request, oldest first."""

    request_id: UUID
    items: tuple[Dispute, ...]


def seal_remark(personal: PersonalData, account_id: UUID, remark: str | None) -> Sealed | None:
    """The envelope for the log, lines joined to one; none if nothing was written. Raises as `PersonalData.seal`, and `BadField`."""
    line = " ".join((remark or "").split())
    if not line:
        return None
    shown = printable(line, field="remark", chars_max=REASON_CHARS_MAX)
    return personal.seal(account_id, msgspec.json.encode(shown), place=ChargeDisputed.TOPIC)


def read_disputes(ports: Ports, request_id: UUID) -> Disputes:
    """How a charge was disputed, from the log.

    Raises:
        NotFound: it never was.
        MasterKeyMissing, VaultDamaged: as `PersonalData.open`.
    """
    found = read_case(ports.store, request_id).disputes
    if not found:
        raise NotFound("disputed charge", request_id)
    return Disputes(request_id=request_id, items=tuple(_dispute(ports.personal, one) for one in found))


def _dispute(personal: PersonalData, event: ChargeDisputed) -> Dispute:
    opened = None
    if isinstance(event.pii, Sealed):
        opened = personal.open(event.account_id, event.pii, place=event.TOPIC)
    return Dispute(
        cause=event.cause,
        remark=None if opened is None else msgspec.json.decode(opened, type=str),
        charge_nano=event.charge_nano,
        disputed_by=event.actor,
        disputed_us=event.occurred_us,
    )
