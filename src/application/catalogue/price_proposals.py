"""Prices that wait for a second operator: proposing them, and what there is to decide."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.command import Ports, execute, load, stamp
from application.eventlog import EventStore
from application.queries import PAGE_ROWS_MAX
from domain.catalogue import price_proposals as rules
from domain.catalogue.price_proposals import (
    PRICE_PROPOSALS_STREAM,
    PriceProposal,
    PriceProposals,
    ProposalState,
)
from domain.catalogue.prices import PRICE_LIST_STREAM, Publication
from domain.fact import Actor


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What became of prices that an operator wants."""

    version: (
        int  #: of the price list, by now: the one that charges will name, or the one before while they wait
    )
    position: int | None  #: of the last stored event in the log; none: it was done before
    proposal_id: UUID | None = None  #: of prices that wait for a second operator, or have waited


class ProposalRow(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal, with whole prices."""

    proposal_id: UUID
    state: ProposalState
    proposed_by: str
    proposed_us: int
    note: str
    base_version: int
    is_stale: bool  #: it waits, and other prices were published since: it can only be denied
    publications: tuple[Publication, ...]
    decided_by: str | None
    decided_us: int | None
    reason: str | None  #: why it was denied


class PriceProposalPage(msgspec.Struct, frozen=True, kw_only=True):
    """Proposals, the newest first. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[ProposalRow, ...]
    next_after: UUID | None


def load_proposals(store: EventStore) -> PriceProposals:
    """All that were made."""
    return load(store, PRICE_PROPOSALS_STREAM, PriceProposals(), rules.evolve)


def list_version(store: EventStore, *, at_least: int = 0) -> int:
    """The newest version of the price list; `at_least` is one that is known, and spares reading those before."""
    newer = store.read_stream(PRICE_LIST_STREAM, after_version=at_least)
    return newer[-1].version if newer else at_least


def propose(publications: Sequence[Publication], *, note: str, actor: Actor, ports: Ports) -> Published:
    """Let them wait for a second operator; raises as `price_proposals.propose`."""
    at, base_version = stamp(ports, actor), list_version(ports.store)
    proposal_id = ports.ids.new()

    def decide(proposals: PriceProposals) -> list[rules.PricesProposed]:
        nonlocal proposal_id
        proposed = rules.propose(
            proposals,
            proposal_id=proposal_id,
            publications=publications,
            base_version=base_version,
            note=note,
            stamp=at,
        )
        if not proposed and proposals.waiting is not None:
            proposal_id = proposals.waiting.proposed.proposal_id
        return proposed

    done = execute(ports.store, PRICE_PROPOSALS_STREAM, PriceProposals(), rules.evolve, decide)
    return Published(version=base_version, position=done.position, proposal_id=proposal_id)


def page_of(store: EventStore, *, after: UUID | None = None, limit: int = 100) -> PriceProposalPage:
    """What was proposed and what became of it, behind `after`. Reads the stream; blocking."""
    newest = [*reversed(load_proposals(store).by_id.values())]
    places = [place for place, one in enumerate(newest, 1) if one.proposed.proposal_id == after]
    rest = newest[places[0] :] if places else newest
    shown = rest[: max(1, min(limit, PAGE_ROWS_MAX))]
    return PriceProposalPage(
        items=tuple(_row(store, one) for one in shown),
        next_after=shown[-1].proposed.proposal_id if len(rest) > len(shown) else None,
    )


def is_stale(store: EventStore, proposal: PriceProposal) -> bool:
    """Whether it waits, and can only be denied: prices were published since it was made. Blocking."""
    base = proposal.proposed.base_version
    return proposal.state == "waiting" and list_version(store, at_least=base) != base


def _row(store: EventStore, proposal: PriceProposal) -> ProposalRow:
    proposed, decided = proposal.proposed, proposal.decided
    return ProposalRow(
        proposal_id=proposed.proposal_id,
        state=proposal.state,
        proposed_by=proposed.actor,
        proposed_us=proposed.occurred_us,
        note=proposed.note,
        base_version=proposed.base_version,
        is_stale=is_stale(store, proposal),
        publications=proposed.publications,
        decided_by=None if decided is None else decided.actor,
        decided_us=None if decided is None else decided.occurred_us,
        reason=decided.reason if isinstance(decided, rules.PricesDenied) else None,
    )
