"""The stage on which the state machine plays: one account, three gateways, an auditor and a reader of the log."""

import sys
from typing import ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from domain.ledger.credit import LotConditions
from domain.ledger.events import Owner
from domain.ledger.lease import Lease
from tests.model import reaper
from tests.model.commands import grant_lot
from tests.model.gateway import Gateway
from tests.model.invariants import Auditor, Follower, check_snapshot
from tests.model.switches import Switches
from tests.model.world import ALIAS, ALIASES, WALLET, Request, World, require

GATEWAYS = 3
REAPER = Owner(UUID(int=99), 1)
MORE_LOTS = ((60, 1, ()), (90, 2, ()), (50, None, ALIASES[1:]), (70, 1, ALIASES[:1]))
"""Amount, the epoch in which it is over, models."""


class Scene(RuleBasedStateMachine):
    """Who is there, and what must hold after every step and in the end."""

    switches: ClassVar[Switches] = Switches()
    seen: ClassVar[dict[str, int]] = {}  #: how often each situation and event arose in all histories

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.switches)
        self.auditor = Auditor()
        self.follower = Follower(keeps_position=self.switches.follower_keeps_position)

    @initialize(amount=st.integers(1, 1000), more=st.lists(st.sampled_from(MORE_LOTS), max_size=3))
    def start(self, amount: int, more: list[tuple[int, int | None, tuple[str, ...]]]) -> None:
        grant_lot(self.world, self.world.new_id(), amount)
        for more_nano, ends, models in more:
            ends_us = None if ends is None else self.world.epoch_us(ends)
            conditions = LotConditions(expires_us=ends_us, aliases=models)
            grant_lot(self.world, self.world.new_id(), more_nano, conditions=conditions)
        for number in range(GATEWAYS):
            self.world.gateways.append(Gateway(self.world, Owner(UUID(int=10 + number), 1)))

    # --- what must hold

    @invariant()
    def everything_adds_up(self) -> None:
        self.auditor.read_on(self.world.log)
        self.auditor.check_totals()
        self.auditor.check_clients(self.world.requests.values())
        self.follower.read_on(self.world.log)
        self.follower.check_against(self.auditor)

    def teardown(self) -> None:
        """Everybody wakes, everything arrives; then no credit may be left that nobody can account for."""
        if sys.exc_info()[0] is not None or not self.world.gateways:
            return  # a step has failed already, or nothing was run
        while self.world.log.on_the_way:
            self.world.log.deliver(0)
        for gateway in self.world.gateways:
            gateway.sync()
        self.everything_adds_up()
        self._check_quiet()
        owners = {gateway.owner for gateway in self.world.gateways}
        for lease in list(self.world.wallet().leases.values()):
            if lease.owner not in owners:
                reaper.fence(self.world, lease.lease_id, by=REAPER)
        self.everything_adds_up()
        self.follower.check_against_refold(self.world.log)
        check_snapshot(self.world, self.world.log.head(WALLET) // 2)
        self.end()
        for stored in self.world.log.events:
            self.world.note(stored.topic)
        for situation, count in self.world.seen.items():
            self.seen[situation] = self.seen.get(situation, 0) + count

    def end(self) -> None:
        """What else must have happened in the end."""

    def _check_quiet(self) -> None:
        """What a live owner has in memory is what is stored, and no micro lease outlives its request."""
        for gateway in self.world.gateways:
            for lease_id, lease in gateway.leases.items():
                stored = self.world.lease(lease_id)
                require("R3", stored == lease or stored.ended, "an owner knows its leases")
                micro = lease_id in self.world.wallet().leases and self._is_micro(lease_id)
                require("P27", not micro or bool(lease.holds), "a micro lease ends with its request")
        for request in self.world.requests.values():
            if request.told == "failed":
                require("P28", request.request_id not in self.auditor.charges, "told of a failure, charged")

    def _is_micro(self, lease_id: UUID) -> bool:
        return self.world.wallet().leases[lease_id].mode == "micro"

    # --- helpers

    def awake(self, at: int) -> Gateway:
        """One of the gateways that run; when none does, one wakes."""
        gateways = list(self.world.awake()) or self.world.gateways
        gateway = gateways[at % len(gateways)]
        gateway.frozen = False
        return gateway

    def open_request(self, gateway: Gateway, pick: int) -> Request:
        """A request that waits for its upstream; when there is none, one comes in."""
        found = [
            request
            for request in self.world.requests.values()
            if not request.told and request.rated_nano is None and request.lease_id in gateway.leases
        ]
        if found:
            return found[pick % len(found)]
        request = Request(self.world.new_id(), pick + 1, size_nano=3 * pick)
        self.serve_at(gateway, request)
        return request

    def lease_of(self, gateway: Gateway, pick: int) -> Lease | None:
        """A lease of the gateway; when it has none, it opens one."""
        leases = gateway.bulk_leases()
        if leases:
            return leases[pick % len(leases)]
        amount_nano = min(pick + 1, gateway.lendable_nano(ALIAS))
        return gateway.open(amount_nano) if amount_nano else None

    def serve_at(self, gateway: Gateway, request: Request) -> None:
        self.world.requests[request.request_id] = request
        gateway.serve(request)
