"""Want an account to buy on account."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Created, Ports, stamp
from application.postpaid.stream import change_postpaid
from domain.fact import Actor
from domain.operators import Permission
from domain.postpaid.limiting import propose
from domain.refusal import WrongState


class ProposePostpaidLimit(Command, frozen=True, kw_only=True):
    """It always waits for a second operator, and replaces the limit that there is when it is approved."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    currency: str
    limit_minor: int
    days_to_pay: int
    reason: str
    proposal_id: UUID | None = None


def handle(command: ProposePostpaidLimit, *, actor: Actor, ports: Ports) -> Created:
    """Propose it.

    Raises:
        NotFound: there is no such account.
        WrongState: the account is closed.
        Others as `limiting.propose`.
    """
    if load_account(ports.store, command.account_id).status == "closed":
        raise WrongState("account", "closed")
    proposal_id, at = command.proposal_id or ports.ids.new(), stamp(ports, actor)
    done = change_postpaid(
        ports.store,
        command.account_id,
        lambda postpaid: propose(
            postpaid,
            account_id=command.account_id,
            proposal_id=proposal_id,
            currency=command.currency,
            limit_minor=command.limit_minor,
            days_to_pay=command.days_to_pay,
            reason=command.reason,
            stamp=at,
        ),
    )
    return Created(id=proposal_id, done=done)
