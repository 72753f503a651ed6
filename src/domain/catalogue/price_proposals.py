"""Prices that wait for a second operator, where an installation wants two. One proposal waits at a time.

They have a stream of their own: every event of the price list's is a price version, and a proposal is none yet.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.catalogue.prices import PriceListPublished, Publication, published
from domain.fact import Actor, Fact, Stamp
from domain.refusal import AlreadyExists, NotFound, NotPermitted, Refusal, SecondOperatorNeeded, WrongState
from domain.text import REASON_CHARS_MAX, printable

PRICE_PROPOSALS_STREAM: Final = UUID("5b2f6f0e-31a4-5d7c-8f0b-9c1d2e3f4a06")
ProposalState = Literal["waiting", "approved", "denied"]


class PricesProposed(Fact, frozen=True, kw_only=True):
    """An operator wants these prices. Nothing costs them before another one agrees."""

    TOPIC: ClassVar[str] = "price-proposal.made.v1"

    proposal_id: UUID
    base_version: int  #: the version of the price list that they were compared with; they become the next ones or nothing
    publications: tuple[Publication, ...]  #: in the order in which they are published
    note: str


class PricesApproved(Fact, frozen=True, kw_only=True):
    """Another operator agreed. Stored in one append with the publications."""

    TOPIC: ClassVar[str] = "price-proposal.approved.v1"

    proposal_id: UUID


class PricesDenied(Fact, frozen=True, kw_only=True):
    """Another operator did not agree, or its proposer took it back; the prices are what they were."""

    TOPIC: ClassVar[str] = "price-proposal.denied.v1"

    proposal_id: UUID
    reason: str


PriceProposalEvent = PricesProposed | PricesApproved | PricesDenied
PRICE_PROPOSAL_EVENTS: tuple[type[Fact], ...] = (PricesProposed, PricesApproved, PricesDenied)


class PricesChanged(Refusal):
    """Other prices were published since these were proposed, so they are compared with what is no more; nothing was decided."""

    code: ClassVar[str] = "prices_changed"

    def __init__(self, *, base_version: int, list_version: int) -> None:
        super().__init__(
            f"they were proposed on version {base_version} of the prices, which are at version {list_version} by now: "
            "deny them, and propose them anew"
        )
        self.base_version = base_version
        self.list_version = list_version


class PriceProposal(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal and what became of it."""

    proposed: PricesProposed
    state: ProposalState = "waiting"
    decided: PricesApproved | PricesDenied | None = None

    @property
    def aliases(self) -> frozenset[str]:
        """What it has prices of."""
        return frozenset[str]().union(*(one.entries for one in self.proposed.publications))

    @property
    def last_version(self) -> int:
        """The price version that it is in all, once it is approved."""
        return self.proposed.base_version + len(self.proposed.publications)


class PriceProposals(msgspec.Struct, frozen=True):
    """The fold of the stream: all that were made, oldest first."""

    by_id: dict[UUID, PriceProposal] = {}

    @property
    def waiting(self) -> PriceProposal | None:
        return next((one for one in reversed(self.by_id.values()) if one.state == "waiting"), None)


def evolve(proposals: PriceProposals, event: PriceProposalEvent) -> PriceProposals:
    """The proposals after one more fact."""
    match event:
        case PricesProposed():
            changed = PriceProposal(proposed=event)
        case PricesApproved():
            changed = replace(proposals.by_id[event.proposal_id], state="approved", decided=event)
        case PricesDenied():
            changed = replace(proposals.by_id[event.proposal_id], state="denied", decided=event)
        case _:
            assert_never(event)
    return PriceProposals({**proposals.by_id, event.proposal_id: changed})


def propose(
    proposals: PriceProposals,
    *,
    proposal_id: UUID,
    publications: Sequence[Publication],
    base_version: int,
    note: str,
    stamp: Stamp,
) -> list[PricesProposed]:
    """Want these prices. The same by the same operator while they wait does nothing, whatever the id.

    Raises:
        AlreadyExists: the id is of another proposal.
        WrongState: other prices wait.
        BadField: the note cannot be shown.
    """
    wanted = PricesProposed(
        proposal_id=proposal_id,
        base_version=base_version,
        publications=tuple(publications),
        note=printable(note, field="note", chars_max=REASON_CHARS_MAX),
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    waiting = proposals.waiting
    if waiting is not None and _content(waiting.proposed) == _content(wanted):
        return []
    if waiting is not None:
        raise WrongState("price list", "waiting for a second operator to decide about other prices already")
    if proposal_id in proposals.by_id:
        raise AlreadyExists("proposal", proposal_id)
    return [wanted]


def approve(
    proposals: PriceProposals, proposal_id: UUID, *, list_version: int, by: Actor, stamp: Stamp
) -> list[PricesApproved]:
    """The second operator agrees; what `publications_of` gives must be published in the same append. Once approved, this does nothing.

    Raises:
        NotFound: nothing such was proposed.
        WrongState: it was denied.
        SecondOperatorNeeded: who proposed it cannot agree as well.
        NotPermitted: the actor is no operator: on the server's command line nobody can tell who it is.
        PricesChanged: the price list is at another version than the one that it was compared with.
    """
    proposal = _proposal(proposals, proposal_id)
    if proposal.state == "denied":
        raise WrongState("proposal", "denied")
    if proposal.state == "approved":
        return []
    if by.label == proposal.proposed.actor:
        raise SecondOperatorNeeded("another operator than the one who proposed it must approve")
    if by.kind != "operator":
        raise NotPermitted("an operator's token: the command line of the server is nobody")
    if list_version != proposal.proposed.base_version:
        raise PricesChanged(base_version=proposal.proposed.base_version, list_version=list_version)
    return [PricesApproved(proposal_id=proposal_id, occurred_us=stamp.now_us, actor=stamp.actor)]


def publications_of(proposal: PriceProposal, *, stamp: Stamp) -> list[PriceListPublished]:
    """What becomes of it at its approval. A price whose time has passed while it waited begins then, never before."""
    return [
        published(one, approved_by=stamp.actor, note=proposal.proposed.note, stamp=stamp)
        for one in proposal.proposed.publications
    ]


def deny(proposals: PriceProposals, proposal_id: UUID, *, reason: str, stamp: Stamp) -> list[PricesDenied]:
    """Refuse one that waits, or take one's own back. Once denied, this does nothing.

    Raises:
        NotFound: nothing such was proposed.
        WrongState: it was approved.
        BadField: the reason cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    proposal = _proposal(proposals, proposal_id)
    if proposal.state == "approved":
        raise WrongState("proposal", "approved")
    if proposal.state == "denied":
        return []
    return [PricesDenied(proposal_id=proposal_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)]


def _proposal(proposals: PriceProposals, proposal_id: UUID) -> PriceProposal:
    try:
        return proposals.by_id[proposal_id]
    except KeyError:
        raise NotFound("proposal", proposal_id) from None


def _content(proposed: PricesProposed) -> tuple[object, ...]:
    return (proposed.publications, proposed.note, proposed.base_version, proposed.actor)
