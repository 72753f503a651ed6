"""The second operator agrees to prices."""

from typing import ClassVar
from uuid import UUID

from application.catalogue.price_proposals import Published, list_version
from application.command import Command, Ports, append_decided, fold, new_event, stamp
from application.eventlog import NewEvent
from domain.catalogue import price_proposals as rules
from domain.catalogue.price_proposals import PRICE_PROPOSALS_STREAM, PriceProposals
from domain.catalogue.prices import PRICE_LIST_STREAM
from domain.fact import Actor
from domain.operators import Permission


class ApprovePrices(Command, frozen=True, kw_only=True):
    """They are published at once: in force from now on, or from the later time that was proposed."""

    permission: ClassVar[Permission] = "prices"

    proposal_id: UUID


def handle(command: ApprovePrices, *, actor: Actor, ports: Ports) -> Published:
    """Approve and publish them in one append, as the versions after the one that they were compared with.

    Raises:
        Refusal: as `price_proposals.approve`; nothing was published.
    """
    at, proposals = stamp(ports, actor), PriceProposals()

    def decide() -> list[NewEvent]:
        nonlocal proposals
        # The list first: who approves beside us changes both at once, and is then seen to have decided.
        current_version = list_version(ports.store)
        recorded = ports.store.read_stream(PRICE_PROPOSALS_STREAM)
        proposals = fold(recorded, PriceProposals(), rules.evolve)
        known = proposals.by_id.get(command.proposal_id)
        base_version = 0 if known is None else known.proposed.base_version
        decided = rules.approve(
            proposals,
            command.proposal_id,
            list_version=current_version,
            by=actor,
            stamp=at,
        )
        if not decided:
            return []
        facts = rules.publications_of(proposals.by_id[command.proposal_id], stamp=at)
        return [
            new_event(PRICE_PROPOSALS_STREAM, recorded[-1].version + 1, decided[0]),
            *(
                new_event(PRICE_LIST_STREAM, version, one)
                for version, one in enumerate(facts, base_version + 1)
            ),
        ]

    position = append_decided(ports.store, decide)
    return Published(
        version=proposals.by_id[command.proposal_id].last_version,
        position=position,
        proposal_id=command.proposal_id,
    )
