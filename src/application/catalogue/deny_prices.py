"""Do not agree to prices."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import price_proposals as rules
from domain.catalogue.price_proposals import PRICE_PROPOSALS_STREAM, PriceProposals
from domain.fact import Actor
from domain.operators import Permission


class DenyPrices(Command, frozen=True, kw_only=True):
    """The prices stay what they are. Proposers take their own back with it too."""

    permission: ClassVar[Permission] = "prices"

    proposal_id: UUID
    reason: str


def handle(command: DenyPrices, *, actor: Actor, ports: Ports) -> Done:
    """Deny it; raises as `price_proposals.deny`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        PRICE_PROPOSALS_STREAM,
        PriceProposals(),
        rules.evolve,
        lambda proposals: rules.deny(proposals, command.proposal_id, reason=command.reason, stamp=at),
    )
