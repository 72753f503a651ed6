"""A history: hours of bad weather, in which processes are paused and killed and credit comes in, and a calm end.

The end is where liveness is judged: when nothing goes wrong any more, all credit can be spent, and none is lost.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final
from uuid import UUID

import msgspec

from application.eventlog import NewEvent
from domain.budgets.budget import Budget
from domain.budgets.window import BudgetWindow, bucket_at
from domain.event import Event, encode
from domain.ledger import claims, credit
from domain.ledger.claims import Claimed
from domain.ledger.credit import LotConditions
from domain.ledger.events import LeaseSettled
from domain.ledger.wallet import Wallet
from tests.budget_audit import BudgetAuditor
from tests.model.invariants import Auditor, Follower, LeaseBook
from tests.model.store import Stored
from tests.model.world import ACCOUNT, KEY, WALLET, Violation, fold_wallet, require
from tests.simulator.client import ALIASES, Client
from tests.simulator.office import Office
from tests.simulator.process import SimProcess
from tests.simulator.universe import CALM, EPOCH_US, Universe, Weather

CHECK_EVERY_STEPS: Final = 64
"""Events are audited as they come; what is summed over all of them, this often."""
QUIET_S: Final = 25.0
OFFICE_EVERY_S: Final = 0.17
DISPUTED_SHARE: Final = 0.3
"""In so many histories money goes back."""
DECIDED_SHARE: Final = 0.4
"""In so many, charges are decided about afterwards, and codes redeemed."""
STEPS_MAX: Final = 400_000
"""A history that takes more has a loop in it."""

WINDOWS: Final = (
    BudgetWindow(kind="day", zone="Pacific/Gambier"),
    BudgetWindow(kind="rolling", hours=1),
    BudgetWindow(kind="rolling", hours=2),
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a seed draws: the scale of everything, and how often a thing happens, in means of seconds."""

    instances: int
    credit_nano: int
    hold_nano: int
    request_every_s: float
    grant_every_s: float
    kill_every_s: float
    pause_every_s: float
    pause_s: float
    away_every_s: float
    away_s: float
    clock_jump_every_s: float
    has_conditions: bool  #: lots begin, end, and are for some models
    leave_share: float  #: of clients do not wait for the end
    weather: Weather
    budgets: tuple[Budget, ...]


def draw(universe: Universe) -> Plan:
    random = universe.random
    never_s = 1e9
    credit_nano = random.choice((50, 1_000, 100_000, 10_000_000))
    return Plan(
        instances=random.randint(1, 4),
        credit_nano=credit_nano,
        hold_nano=max(1, credit_nano // random.choice((2, 10, 50, 500))),
        request_every_s=random.choice((0.002, 0.01, 0.05)),
        grant_every_s=random.choice((1.0, 5.0, never_s)),
        kill_every_s=random.choice((2.0, 10.0, never_s)),
        pause_every_s=random.choice((2.0, 10.0, never_s)),
        pause_s=random.choice((0.05, 1.0, 8.0)),
        away_every_s=random.choice((3.0, 15.0, never_s)),
        away_s=random.choice((0.05, 1.0, 7.0)),
        clock_jump_every_s=random.choice((5.0, never_s)),
        has_conditions=random.random() < 0.5,  # half of them
        leave_share=random.choice((0.02, 0.4)),
        weather=Weather(
            delay_s=random.choice((0.0005, 0.005, 0.05)),
            lost_share=random.choice((0.0, 0.02, 0.2)),
            unheard_share=random.choice((0.0, 0.02, 0.2)),
            late_share=random.choice((0.0, 0.5)),
            message_lost_share=random.choice((0.0, 0.1, 0.6)),
            reconnect_s=random.choice((0.02, 0.3)),
        ),
        budgets=draw_budgets(universe, credit_nano),
    )


def draw_budgets(universe: Universe, credit_nano: int) -> tuple[Budget, ...]:
    """None for half of the histories; else one of the key, and maybe a wider one of the account."""
    random = universe.random
    amounts_nano = random.choice(
        ((), (), (max(1, credit_nano // 3),), (max(1, credit_nano // 2), 2 * credit_nano))
    )
    window = random.choice(WINDOWS)
    return tuple(
        Budget(
            budget_id=universe.new_id(),
            account_id=ACCOUNT,
            key_id=None if number else KEY,
            amount_nano=amount_nano,
            window=window,
            enforcement="hard",
            alert_percents=(),
        )
        for number, amount_nano in enumerate(amounts_nano)
    )


class AppendAuditor(Auditor):
    """Judges a settlement with the whole append that it is in: the product stores it before the lease's end."""

    def __init__(self) -> None:
        super().__init__()
        self._settling: tuple[LeaseBook, LeaseSettled] | None = None

    def _check_settled(self, book: LeaseBook, event: LeaseSettled) -> None:
        self._settling = book, event

    def _group_ends(self, stored: Stored) -> None:
        settling, self._settling = self._settling, None
        if settling is not None:
            super()._check_settled(*settling)
        super()._group_ends(stored)


class History:
    """Plays one seed."""

    def __init__(self, seed: int) -> None:
        self.universe = universe = Universe(seed)
        self.plan = draw(universe)
        self.auditor = AppendAuditor()
        self.follower = Follower()
        self.budget_auditor = BudgetAuditor(self.plan.budgets)
        self._budgets_read = 0
        self._disputes = Random(seed)  # of its own: what the others draw stays as it is
        self._office = Office(seed, universe.store, wallet=self._wallet, now_us=self._now_us)
        self._is_decided = Random(f"decided {seed}").random() < DECIDED_SHARE
        self._goes_on = True
        self._epochs = dict.fromkeys((UUID(int=10 + number) for number in range(self.plan.instances)), 0)

    def play(self, steps: int) -> int:
        """Bad weather for so many steps, then the end; how many steps it was in all.

        Raises:
            Violation: an invariant does not hold, or credit is stranded.
        """
        universe, plan = self.universe, self.plan
        self._grant()
        for instance_id in self._epochs:
            self._begin(instance_id)
        universe.weather = plan.weather
        self._often(plan.request_every_s, self._request)
        self._often(plan.grant_every_s, self._grant)
        self._often(plan.grant_every_s, self._expire)
        if self._disputes.random() < DISPUTED_SHARE:
            self._often(plan.grant_every_s, self._pay_back)
        if self._is_decided:
            self._office.begin(max(1, plan.credit_nano // 4))
            self._office_works()
        self._often(plan.kill_every_s, self._kill)
        self._often(plan.pause_every_s, self._pause)
        self._often(plan.away_every_s, self._go_away)
        self._often(plan.clock_jump_every_s, self._jump)
        try:
            while universe.steps < steps:
                self._step()
            self._end()
        finally:
            universe.close()
        return universe.steps

    # --- what happens

    def _often(self, mean_s: float, happening: Callable[[], None]) -> None:
        universe = self.universe

        def again() -> None:
            if self._goes_on:
                happening()
                universe.at(universe.spread_s(mean_s), again)

        universe.at(universe.spread_s(mean_s), again)

    def _begin(self, instance_id: UUID) -> None:
        self._epochs[instance_id] += 1
        self.universe.processes.append(SimProcess(self.universe, instance_id, self._epochs[instance_id]))

    def _request(self) -> None:
        universe = self.universe
        if universe.processes:
            hold_nano = universe.random.randint(1, self.plan.hold_nano)
            leaves = universe.happens(self.plan.leave_share)
            Client(
                universe,
                universe.random.choice(universe.processes),
                hold_nano,
                alias=universe.random.choice(ALIASES),
                leaves=leaves,
                budgets=self.plan.budgets,
            )

    def _grant(self) -> None:
        universe = self.universe
        if universe.store.away:
            return
        self._append(
            credit.grant_credit(
                self._wallet(),
                account_id=ACCOUNT,
                lot_id=universe.new_id(),
                amount_nano=self.plan.credit_nano,
                source=universe.random.choice(("paid", "promo")),
                reason="recharge",
                granted_by="test",
                now_us=self._now_us(),
                conditions=self._conditions(),
            )
        )

    def _conditions(self) -> LotConditions:
        random = self.universe.random
        if not self.plan.has_conditions:
            return LotConditions()
        later_us = self._now_us() + 500_000
        return LotConditions(
            priority=random.choice((10, 50)),
            effective_us=random.choice((None, later_us)),
            expires_us=random.choice((None, later_us + random.randint(1, 6_000_000))),
            aliases=random.choice(((), (), ALIASES[:1])),
        )

    def _expire(self) -> None:
        if not self.universe.store.away:
            self._append(credit.expire_lots(self._wallet(), account_id=ACCOUNT, now_us=self._now_us()))

    def _pay_back(self) -> None:
        """A lot is disputed, a dispute ends, or a provider pays back what was bought."""
        if self.universe.store.away:
            return
        draw, wallet, now_us = self._disputes, self._wallet(), self._now_us()
        if wallet.claims and draw.random() < 0.5:  # half of the time an old one ends
            claim_id = draw.choice(sorted(wallet.claims))
            ended = wallet.claims[claim_id]
            on = Claimed(account_id=ACCOUNT, lot_id=ended.lot_id, claim_id=claim_id)
            lost = draw.random() < 0.5  # half of them
            self._append(
                claims.take(wallet, on, amount_nano=ended.wanted_nano, now_us=now_us)
                if lost
                else claims.release(wallet, on, now_us=now_us)
            )
            return
        lot_id = draw.choice(sorted(wallet.lots))
        on = Claimed(account_id=ACCOUNT, lot_id=lot_id, claim_id=UUID(int=draw.getrandbits(128)))
        amount_nano = draw.randint(1, self.plan.credit_nano)
        if draw.random() < 0.7:  # most money is asked for before it is gone
            self._append(claims.freeze(wallet, on, wanted_nano=amount_nano, now_us=now_us))
        else:
            self._append(claims.take(wallet, on, amount_nano=amount_nano, now_us=now_us))

    def _office_works(self) -> None:
        """At hours of its own: it draws nothing from what the universe draws."""
        if self._goes_on:
            self._office.work()
            self.universe.at(OFFICE_EVERY_S, self._office_works)

    def _append(self, events: Sequence[Event]) -> None:
        store = self.universe.store
        first = len(store.read_stream(WALLET)) + 1
        if events:
            store.append(
                [NewEvent(WALLET, first + at, one.TOPIC, encode(one)) for at, one in enumerate(events)]
            )

    def _now_us(self) -> int:
        return EPOCH_US + int(self.universe.now_s * 1_000_000)

    def _kill(self) -> None:
        """The next life begins while what the last one sent may be on its way yet."""
        universe = self.universe
        if universe.processes:
            dead = universe.random.choice(universe.processes)
            dead.kill()
            again_s = universe.spread_s(1.0)
            universe.at(again_s, lambda: self._begin(dead.owner.instance_id))

    def _pause(self) -> None:
        universe = self.universe
        running = [one for one in universe.processes if not one.paused]
        if running:
            process = universe.random.choice(running)
            process.paused = True
            universe.at(universe.spread_s(self.plan.pause_s), lambda: _wake(process))

    def _go_away(self) -> None:
        """The database restarts: every lock falls, and is taken again by whoever runs."""
        universe = self.universe
        universe.store.away = True
        for seen in universe.presence.values():
            seen.has_lock = False
        universe.at(universe.spread_s(self.plan.away_s), self._come_back)

    def _come_back(self) -> None:
        self.universe.store.away = False

    def _jump(self) -> None:
        """A clock is set. Not where lots have times: set back, it may see the beginning of a lot again that has passed."""
        if self.plan.has_conditions:
            return
        universe = self.universe
        if universe.processes:
            clock = universe.random.choice(universe.processes).clock
            clock.wrong_by_us = universe.random.randint(-3_600_000_000, 3_600_000_000)

    # --- what must hold

    def _step(self) -> None:
        universe = self.universe
        alive = universe.step()
        require("liveness", alive, "nothing will ever happen again")
        require("liveness", universe.steps < STEPS_MAX, "it does not come to an end")
        if universe.mistakes:
            raise Violation("mistake", repr(universe.mistakes[0])) from universe.mistakes[0]
        self.auditor.read_on(universe.store.audited)
        self._audit_budgets()
        if universe.steps % CHECK_EVERY_STEPS == 0:
            self._check()

    def _audit_budgets(self) -> None:
        events = self.universe.store.audited.events
        for stored in events[self._budgets_read :]:
            self.budget_auditor.take(stored.stream_id, stored.event)
        self._budgets_read = len(events)

    def _check(self) -> None:
        self.auditor.check_totals()
        self.auditor.check_clients(self.universe.requests.values())

    def _end(self) -> None:
        """The sky clears; everybody wakes, what is held ends, and the dead are reaped."""
        universe = self.universe
        self._goes_on = False
        universe.weather = CALM
        self._come_back()
        for process in universe.processes:
            process.paused = False
            process.clock.wrong_by_us = 0
        self._pass(QUIET_S)
        require("P05", not self.auditor.holds, "a hold outlives its request")
        open_leases = [one for one in self.auditor.leases.values() if not one.settled]
        require("P05", not open_leases, "a lease that nobody uses stays open")
        self._spend_the_budgets()
        self._spend_the_rest()
        if self._is_decided:
            self._office.tell()
            self.auditor.read_on(universe.store.audited)
            self.auditor.low_balances.finish()
        self._check()
        self._check_readers()

    def _pass(self, seconds: float) -> None:
        until_s = self.universe.now_s + seconds
        while self.universe.now_s < until_s:
            self._step()

    def _spend_the_budgets(self) -> None:
        """Of each budget all that is left can be held at once, as far as there is credit."""
        universe = self.universe
        for budget in self.plan.budgets:
            alias = universe.random.choice(ALIASES)
            bucket = bucket_at(budget.window, self._now_us())
            left_nano = self.budget_auditor.left_nano(budget, bucket.start_us)
            hold_nano = min(left_nano, self._credit_nano(alias))
            if hold_nano:
                client = Client(
                    universe,
                    universe.random.choice(universe.processes),
                    hold_nano,
                    alias=alias,
                    leaves=False,
                    steady=True,
                    budgets=(budget,),
                )
                self._pass(QUIET_S)
                require("P27", client.request.told == "completed", f"{hold_nano} of {budget} cannot be spent")

    def _credit_nano(self, alias: str) -> int:
        """Credit that serves a model now, and a second later too."""
        terms, now_us = self.auditor.terms, self._now_us()
        return sum(
            left
            for lot_id, left in self.auditor.lots.items()
            if terms[lot_id].serves(alias, now_us) and terms[lot_id].serves(alias, now_us + 1_000_000)
        )

    def _spend_the_rest(self) -> None:
        """All that is left can be held at once, wherever it lies: nothing is stranded."""
        universe = self.universe
        alias = universe.random.choice(ALIASES)
        left_nano = self._credit_nano(alias)
        if not left_nano:
            return
        client = Client(
            universe,
            universe.random.choice(universe.processes),
            left_nano,
            alias=alias,
            leaves=False,
            steady=True,
        )
        self._pass(QUIET_S)
        require("P27", client.request.told == "completed", f"{left_nano} cannot be spent")

    def _check_readers(self) -> None:
        audited = self.universe.store.audited
        self.follower.read_on(audited)
        self.follower.check_against(self.auditor)
        self.follower.check_against_refold(audited)

    def _wallet(self) -> Wallet:
        wallet = Wallet()
        for stored in self.universe.store.audited.events:
            if stored.stream_id == WALLET:
                fold_wallet(wallet, stored.event)
        return wallet


def _wake(process: SimProcess) -> None:
    process.paused = False
