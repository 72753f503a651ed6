"""Say that a charge is wrong: by the customer whose it is, or by an operator for them."""

from typing import ClassVar, Final
from uuid import UUID

from application.charges.case import find_ended
from application.charges.remarks import seal_remark
from application.charges.storing import decide_charge
from application.command import Command, Done, Ports, stamp
from domain.fact import Actor
from domain.ledger import disputing
from domain.ledger.charges import DisputeCause
from domain.operators import Permission
from domain.refusal import BadField, NotFound

_NEEDS_WORDS: Final[DisputeCause] = "other"


class DisputeCharge(Command, frozen=True, kw_only=True):
    """The charge of one request of the account. What is remarked is sealed: it may be personal, or quote a prompt."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    request_id: UUID
    cause: DisputeCause
    remark: str | None = None

    def __repr__(self) -> str:
        return f"DisputeCharge({self.request_id}, {self.cause})"


def handle(command: DisputeCharge, *, actor: Actor, ports: Ports) -> Done:
    """Put the charge into the queue of those that operators look at; nothing moves before they have.

    Raises:
        NotFound: there is no such request of the account.
        WrongState: it is open, a correction of it waits for a second operator, or as `disputing.dispute`.
        BadField: the remark cannot be shown, or the cause cannot do without one.
        SubjectErased, VaultError: nothing was recorded; see `PersonalData.seal`.
    """
    ended = find_ended(ports, command.request_id)
    if ended.account_id != command.account_id:
        raise NotFound("request", command.request_id)
    if command.cause == _NEEDS_WORDS and not (command.remark or "").strip():
        raise BadField("remark", "is needed if no other cause fits")
    pii = seal_remark(ports.personal, command.account_id, command.remark)
    at = stamp(ports, actor)
    return decide_charge(
        ports,
        ended,
        lambda known: disputing.dispute(
            known.case, ended, known.standing, cause=command.cause, pii=pii, stamp=at
        ),
    ).done
