"""The state machine: what can happen to one account, in any order.

Three gateways serve its requests, crash, freeze and wake; a reaper ends leases of the living and the dead; the
network loses replies and delays batches; commands are given twice. Everything is decided by the product's deciders.
"""

from functools import partial
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from domain.ledger.adjusting import MoreThanOwed, NotEnoughToTake
from domain.ledger.adjustments import AdjustmentKind
from domain.ledger.claims import NotEnoughUnspent
from domain.ledger.credit import LotAlreadyGranted, LotConditions
from domain.ledger.events import Owner
from domain.ledger.lease import Lease
from domain.ledger.lending import LeaseAlreadyGranted
from domain.ledger.lots import LotSource
from domain.ledger.refusals import DuplicateRequest, LeaseBusy, LeaseEnded, UnknownRequest
from domain.refusal import WrongState
from tests.model import reaper
from tests.model.commands import (
    COSTS,
    adjust,
    admit_again,
    charge_again,
    claim,
    cost_nano,
    expire,
    grant_lease_again,
    grant_lot,
    must_refuse,
)
from tests.model.gateway import Gateway
from tests.model.invariants import check_snapshot
from tests.model.scene import GATEWAYS, REAPER, Scene
from tests.model.store import Fate
from tests.model.world import ALIASES, WALLET, Request

which = st.integers(0, 63)  #: chooses one of what there is, modulo how many
amounts = st.integers(1, 120)
flags = st.booleans()
aliases = st.sampled_from(ALIASES)
Epochs = tuple[int | None, int | None]
costs = st.sampled_from(COSTS)
fates = st.sampled_from((Fate.ANSWERED, Fate.ANSWERED, Fate.LOST, Fate.STORED, Fate.LATE))


class Ledger(Scene):
    """Everything that can happen."""

    # --- credit comes in

    @rule(amount=st.integers(1, 300), twice=flags)
    def grant_credit(self, amount: int, twice: bool) -> None:
        lot_id = self.world.new_id()
        grant_lot(self.world, lot_id, amount)
        if twice:
            must_refuse(LotAlreadyGranted, lambda: grant_lot(self.world, lot_id, amount))

    @rule(
        amount=st.integers(1, 150),
        source=st.sampled_from(("paid", "promo", "goodwill", "migrated")),
        priority=st.sampled_from((0, 50, 50, 90)),
        epochs=st.sampled_from(((None, None), (None, 1), (None, 2), (0, 2), (1, None), (1, 3))),
        models=st.sampled_from(((), (), ALIASES[:1], ALIASES[1:])),
    )
    def grant_a_lot_with_conditions(
        self, amount: int, source: LotSource, priority: int, epochs: Epochs, models: tuple[str, ...]
    ) -> None:
        """`epochs` are those of its beginning and its end."""
        begins_us, ends_us = (None if ahead is None else self.world.epoch_us(ahead) for ahead in epochs)
        conditions = LotConditions(
            priority=priority, effective_us=begins_us, expires_us=ends_us, aliases=models
        )
        grant_lot(self.world, self.world.new_id(), amount, source=source, conditions=conditions)

    @rule(expires=flags)
    def time_passes(self, expires: bool) -> None:
        """Lots begin and end; the scheduler may be late."""
        self.world.pass_time()
        if expires:
            expire(self.world)

    @rule(kind=st.sampled_from(("credit", "credit", "debit", "void")), amount=amounts, pick=which)
    def adjust(self, kind: AdjustmentKind, amount: int, pick: int) -> None:
        """Goodwill; credit that is taken, if there is so much; a lot that is taken back, if anything is left of it."""
        if kind == "credit":
            adjustment_id = self.world.new_id()
            adjust(self.world, "credit", amount, adjustment_id=adjustment_id)
            again = partial(adjust, self.world, "credit", amount, adjustment_id=adjustment_id)
            must_refuse(LotAlreadyGranted, again)
        elif kind == "debit":
            self._debit(amount)
        else:
            self._void(pick)

    def _debit(self, amount: int) -> None:
        if amount > self.world.wallet().available_for_nano(None, self.world.at_us + 1):
            self.world.note("debit refused")
            must_refuse(NotEnoughToTake, lambda: adjust(self.world, "debit", amount))
        else:
            adjust(self.world, "debit", amount)

    def _void(self, pick: int) -> None:
        wallet = self.world.wallet()
        lot_ids = sorted(wallet.lots)
        lot_id = lot_ids[pick % len(lot_ids)]
        lent = [part for lease in wallet.leases.values() for part in lease.slices if part.lot_id == lot_id]
        if wallet.is_over(lot_id, self.world.at_us + 1) or not (wallet.lots[lot_id] or lent):
            must_refuse(WrongState, lambda: adjust(self.world, "void", 0, lot_id=lot_id))
            return
        if lent:
            self.world.note("a lent lot was taken back")
        adjust(self.world, "void", 0, lot_id=lot_id)

    # --- payments go back

    @rule(pick=which, amount=amounts, end=st.sampled_from(("later", "later", "at once")))
    def refund(self, pick: int, amount: int, end: str) -> None:
        """A refund sets its credit aside, if it is there; it may be sent back to the customer at once."""
        lot_id = self._lot(pick)
        wallet, claim_id = self.world.wallet(), self.world.new_id()
        reserve = partial(claim, self.world, self.world.rules.reserve, lot_id, claim_id, amount_nano=amount)
        if wallet.is_over(lot_id, self.world.at_us + 1):
            must_refuse(WrongState, reserve)
        elif amount > wallet.lots[lot_id]:
            must_refuse(NotEnoughUnspent, reserve)
        else:
            reserve()
            if end == "at once":
                claim(self.world, self.world.rules.take, lot_id, claim_id, amount_nano=amount)

    @rule(pick=which, amount=amounts)
    def refund_elsewhere(self, pick: int, amount: int) -> None:
        """The provider pays back without asking: what was spent is owed."""
        claim(self.world, self.world.rules.take, self._lot(pick), self.world.new_id(), amount_nano=amount)

    @rule(pick=which, amount=amounts)
    def dispute(self, pick: int, amount: int) -> None:
        claim_id, lot_id = self.world.new_id(), self._lot(pick)
        for _ in range(2):  # the second time nothing happens
            claim(self.world, self.world.rules.freeze, lot_id, claim_id, wanted_nano=amount)

    @rule(pick=which, won=flags, again=flags)
    def claim_ends(self, pick: int, won: bool, again: bool) -> None:
        """A dispute or a refund comes to an end; a refund that was paid may come back."""
        wallet, rules = self.world.wallet(), self.world.rules
        if not wallet.claims:
            return
        claim_id = sorted(wallet.claims)[pick % len(wallet.claims)]
        ended = wallet.claims[claim_id]
        if won:
            claim(self.world, rules.release_claim, ended.lot_id, claim_id)
            return
        claim(self.world, rules.take, ended.lot_id, claim_id, amount_nano=ended.wanted_nano)
        if again and ended.cause == "refund":
            claim(self.world, rules.restore, ended.lot_id, claim_id, amount_nano=ended.wanted_nano)

    @rule(amount=amounts, within=flags)
    def write_off(self, amount: int, within: bool) -> None:
        """A debt is given up, and no more than there is of it."""
        owed_nano = self.world.wallet().owed_nano
        if within and owed_nano:
            amount = min(amount, owed_nano)
        if amount > owed_nano:
            must_refuse(MoreThanOwed, lambda: adjust(self.world, "write_off", amount))
        else:
            adjust(self.world, "write_off", amount)

    def _lot(self, pick: int) -> UUID:
        lot_ids = sorted(self.world.wallet().lots)
        return lot_ids[pick % len(lot_ids)]

    # --- requests

    @rule(at=which, hold=amounts, alias=aliases, size=amounts, joint=flags)
    def serve(self, at: int, hold: int, alias: str, size: int, joint: bool) -> None:
        request = Request(self.world.new_id(), hold, alias=alias, size_nano=size, joint=joint)
        self.serve_at(self.awake(at), request)

    @rule(at=which, hold=amounts, alias=aliases)
    def serve_in_micro_mode(self, at: int, hold: int, alias: str) -> None:
        self.serve_at(self.awake(at), Request(self.world.new_id(), hold, alias=alias, micro=True))

    @rule(at=which, hold=amounts, cost=costs, micro=flags, fate=fates)
    def serve_through(self, at: int, hold: int, cost: str, micro: bool, fate: Fate) -> None:
        """Admit, store, answer, and store with any luck."""
        self._serve_through(self.awake(at), hold, cost, fate, micro=micro)

    def _serve_through(self, gateway: Gateway, hold: int, cost: str, fate: Fate, *, micro: bool) -> Request:
        request = Request(self.world.new_id(), hold, size_nano=3 * hold, micro=micro)
        self.serve_at(gateway, request)
        gateway.flush(64, Fate.ANSWERED)
        gateway.answer(request, cost_nano(cost, hold))
        gateway.flush(64, fate)
        return request

    @rule(at=which, pick=which, cost=costs)
    def answer(self, at: int, pick: int, cost: str) -> None:
        gateway = self.awake(at)
        request = self.open_request(gateway, pick)
        gateway.answer(request, cost_nano(cost, request.hold_nano))

    @rule(at=which, pick=which)
    def give_up(self, at: int, pick: int) -> None:
        gateway = self.awake(at)
        gateway.give_up(self.open_request(gateway, pick))

    @rule(at=which, pick=which)
    def repeat_commands(self, at: int, pick: int) -> None:
        """A command that was carried out is refused when it is given again."""
        gateway = self.awake(at)
        lease = self.lease_of(gateway, pick)
        if lease is None:
            return
        for request in self.world.requests.values():
            if request.lease_id == lease.lease_id:
                self._repeat(gateway, lease, request)
        if lease.lease_id in gateway.wallet.leases:
            must_refuse(LeaseAlreadyGranted, lambda: grant_lease_again(self.world, gateway, lease))

    def _repeat(self, gateway: Gateway, lease: Lease, request: Request) -> None:
        if request.request_id in lease.holds:
            must_refuse(DuplicateRequest, lambda: admit_again(self.world, lease, request))
        else:
            must_refuse(UnknownRequest, lambda: charge_again(self.world, lease, request))
            must_refuse(UnknownRequest, lambda: gateway.release_events(lease, request))

    # --- the journal

    @rule(at=which, count=st.integers(1, 4), fate=fates)
    def flush(self, at: int, count: int, fate: Fate) -> None:
        self.awake(at).flush(count, fate)

    @rule()
    def flush_all(self) -> None:
        for gateway in self.world.awake():
            gateway.flush(64, Fate.ANSWERED)

    @rule(at=which)
    def resolve(self, at: int) -> None:
        self.awake(at).resolve()

    @rule(pick=which)
    def deliver(self, pick: int) -> None:
        if self.world.log.on_the_way:
            self.world.note("a batch came late")
        self.world.log.deliver(pick)

    @rule(at=which)
    def refresh(self, at: int) -> None:
        self.awake(at).refresh()

    # --- credit between the wallet and leases

    @rule(at=which, pick=which, alias=aliases, amount=amounts, joint=flags)
    def top_up(self, at: int, pick: int, alias: str, amount: int, joint: bool) -> None:
        gateway = self.awake(at)
        lease = self.lease_of(gateway, pick)
        amount = min(amount, gateway.lendable_nano(alias))
        if lease is not None and amount:
            gateway.top_up(lease, amount, alias, joint=joint)

    @rule(at=which, alias=aliases, amount=amounts)
    def open(self, at: int, alias: str, amount: int) -> None:
        gateway = self.awake(at)
        if gateway.lendable_nano(alias):
            gateway.open(min(amount, gateway.lendable_nano(alias)), alias)

    @rule(at=which, pick=which, amount=amounts, joint=flags)
    def give_back(self, at: int, pick: int, amount: int, joint: bool) -> None:
        gateway = self.awake(at)
        lease = self.lease_of(gateway, pick)
        if lease is not None and lease.free_nano > 0:
            gateway.give_back(lease, min(amount, lease.free_nano), joint=joint)

    @rule(at=which, pick=which)
    def close(self, at: int, pick: int) -> None:
        gateway = self.awake(at)
        lease = self.lease_of(gateway, pick)
        if lease is None:
            return
        if lease.holds and lease.lease_id in gateway.wallet.leases:
            must_refuse(LeaseBusy, lambda: gateway.close(lease))
        else:
            gateway.close(lease)

    @rule(at=which, pick=which, amount=amounts)
    def rotate(self, at: int, pick: int, amount: int) -> None:
        gateway = self.awake(at)
        lease = self.lease_of(gateway, pick)
        if lease is not None and not lease.holds:
            gateway.rotate(lease, amount)

    # --- trouble

    @rule(at=which, count=st.integers(0, 4), fate=fates, fences=flags)
    def crash(self, at: int, count: int, fate: Fate, fences: bool) -> None:
        """The process is gone; what was on the wire is stored, lost or late. Its next life has a new epoch."""
        dead = self.world.gateways[at % GATEWAYS]
        if not dead.journal.doubt:
            dead.journal.flush(count, Fate.STORED if fate is Fate.ANSWERED else fate)
        owner = Owner(dead.owner.instance_id, dead.owner.epoch + 1)
        self.world.gateways[at % GATEWAYS] = Gateway(self.world, owner)
        if fences:
            for lease in list(self.world.wallet().leases.values()):
                if lease.owner.instance_id == owner.instance_id:
                    reaper.fence(self.world, lease.lease_id, by=owner)

    @rule(at=which)
    def freeze_or_wake(self, at: int) -> None:
        gateway = self.world.gateways[at % GATEWAYS]
        self.world.note("woke" if gateway.frozen else "froze")
        gateway.frozen = not gateway.frozen

    @rule(pick=which)
    def reap(self, pick: int) -> None:
        """Fence a lease, whatever its owner is doing; one that has ended is not ended again."""
        lease_ids = sorted(self.auditor.leases)
        if not lease_ids:
            return
        lease_id = lease_ids[-1 - pick % len(lease_ids)]
        if not self.auditor.leases[lease_id].settled:
            self.world.note("fenced")
            reaper.fence(self.world, lease_id, by=REAPER)
        else:
            must_refuse(LeaseEnded, lambda: reaper.fence(self.world, lease_id, by=REAPER))

    @rule(at=which, hold=amounts, fate=fates, hears=flags)
    def reap_before_the_reply(self, at: int, hold: int, fate: Fate, hears: bool) -> None:
        """A charge is sent, the lease is fenced, and only then the owner learns of either."""
        gateway = self.awake(at)
        request = self._serve_through(gateway, hold, "part", fate, micro=False)
        if request.lease_id in self.world.wallet().leases:
            reaper.fence(self.world, request.lease_id, by=REAPER)
        if hears:
            gateway.refresh()

    # --- readers

    @rule(pick=which)
    def look_at_snapshot(self, pick: int) -> None:
        check_snapshot(self.world, pick % (self.world.log.head(WALLET) + 1))

    @rule(back=which)
    def deliver_again(self, back: int) -> None:
        """P11: a reader that starts over from an older position comes to the same state."""
        log = self.world.log
        older = log.events[-1 - back % len(log.events)].position
        self.follower.read_on(log, after_position=older)
