"""Who may buy on account, and for how much: one operator proposes, another agrees. Without that nothing is on account."""

from typing import Final
from uuid import UUID

from domain.fact import Actor, Stamp
from domain.postpaid.events import (
    PostpaidEvent,
    PostpaidLimitApproved,
    PostpaidLimitDenied,
    PostpaidLimitLifted,
    PostpaidLimitProposed,
)
from domain.postpaid.postpaid import Postpaid, Proposal
from domain.recharge.currencies import exponent_of, require_minor
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, SecondOperatorNeeded, WrongState
from domain.text import REASON_CHARS_MAX, printable

DAYS_MAX: Final = 180


def propose(
    postpaid: Postpaid,
    *,
    account_id: UUID,
    proposal_id: UUID,
    currency: str,
    limit_minor: int,
    days_to_pay: int,
    reason: str,
    stamp: Stamp,
) -> list[PostpaidEvent]:
    """Want a limit, whether there is one or not. The same again, by its id, does nothing.

    Raises:
        AlreadyExists: the id is of another proposal.
        WrongState: another one waits.
        BadField: the currency, the amount, the days or the reason cannot be meant, or something is unpaid in another currency.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    known = postpaid.proposals.get(proposal_id)
    if known is not None:
        if (known.currency, known.limit_minor, known.days_to_pay) == (currency, limit_minor, days_to_pay):
            return []
        raise AlreadyExists("proposal", proposal_id)
    exponent = exponent_of(currency)
    require_minor(limit_minor, field="limit_minor")
    if not 1 <= days_to_pay <= DAYS_MAX:
        raise BadField("days_to_pay", f"must be from 1 to {DAYS_MAX}")
    _require_one_currency(postpaid, currency)
    if postpaid.waiting is not None:
        raise WrongState("limit", "waiting for a second operator already")
    return [
        PostpaidLimitProposed(
            account_id=account_id,
            proposal_id=proposal_id,
            currency=currency,
            exponent=exponent,
            limit_minor=limit_minor,
            days_to_pay=days_to_pay,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def approve(
    postpaid: Postpaid, proposal_id: UUID, *, account_id: UUID, by: Actor, stamp: Stamp
) -> list[PostpaidEvent]:
    """The second operator agrees: the limit stands. Doing it again does nothing.

    Raises:
        NotFound: nothing such was proposed.
        WrongState: it was denied.
        SecondOperatorNeeded: who proposed it cannot agree as well.
        NotPermitted: the actor is no operator: on the server's command line nobody can tell who it is.
        BadField: something is unpaid in another currency by now.
    """
    proposal = _proposal(postpaid, proposal_id)
    if proposal.state == "denied":
        raise WrongState("limit", "denied")
    if proposal.state == "approved":
        return []
    if by.label == proposal.proposed_by:
        raise SecondOperatorNeeded("another operator than the one who proposed it must approve")
    if by.kind != "operator":
        raise NotPermitted("an operator's token: the command line of the server is nobody")
    _require_one_currency(postpaid, proposal.currency)
    return [
        PostpaidLimitApproved(
            account_id=account_id,
            proposal_id=proposal_id,
            currency=proposal.currency,
            exponent=proposal.exponent,
            limit_minor=proposal.limit_minor,
            days_to_pay=proposal.days_to_pay,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def deny(
    postpaid: Postpaid, proposal_id: UUID, *, account_id: UUID, reason: str, stamp: Stamp
) -> list[PostpaidEvent]:
    """Refuse one that waits, or take one's own back. Once denied, this does nothing.

    Raises:
        NotFound: nothing such was proposed.
        WrongState: it was approved.
        BadField: the reason cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    proposal = _proposal(postpaid, proposal_id)
    if proposal.state == "approved":
        raise WrongState("limit", "approved")
    if proposal.state == "denied":
        return []
    return [
        PostpaidLimitDenied(
            account_id=account_id,
            proposal_id=proposal_id,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def lift(postpaid: Postpaid, *, account_id: UUID, reason: str, stamp: Stamp) -> list[PostpaidEvent]:
    """Sell nothing more on account; one operator may do it, for it risks nothing. Without a limit this does nothing.

    Raises:
        BadField: the reason cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if postpaid.limit is None:
        return []
    return [
        PostpaidLimitLifted(account_id=account_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def _proposal(postpaid: Postpaid, proposal_id: UUID) -> Proposal:
    try:
        return postpaid.proposals[proposal_id]
    except KeyError:
        raise NotFound("proposal", proposal_id) from None


def _require_one_currency(postpaid: Postpaid, currency: str) -> None:
    """Sums of two currencies are none."""
    other = next((one.currency for one in postpaid.purchases.values() if one.currency != currency), None)
    if other is not None:
        raise BadField("currency", f"must be {other} while something is unpaid in it")
