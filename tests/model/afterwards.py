"""The state machine, and what comes after: reviews, disputes and late reports of charges, codes, and low balances.

Everything of the ledger's machine goes on meanwhile, so a correction meets debts, lots that end and credit that is lent.
"""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from application.eventlog import NewEvent
from domain.ledger.adjusting import NotEnoughToTake
from domain.ledger.charges import DisputeCause, Ended
from domain.ledger.correcting import UsageAbsurd
from domain.ledger.disputing import DISPUTE_US
from domain.promotions.batch import CodeLimit, CodeUsed
from domain.refusal import AlreadyExists, BadField, NotFound, Refusal, SecondOperatorNeeded, WrongState
from tests.model.commands import must_refuse
from tests.model.desk import FIRST, SECOND, Desk
from tests.model.machine import Ledger, flags, which
from tests.model.promises import Counter, Teller, set_threshold
from tests.model.store import Fate
from tests.model.world import ACCOUNT, ALIASES, require

RIGHTS = ("as it is", "nothing", "half", "all")
USAGES = ("nothing", "half", "all", "more", "absurd")
causes: st.SearchStrategy[DisputeCause] = st.sampled_from(("no-answer", "counted-wrongly", "other"))


class Afterwards(Ledger):
    """Everything that can happen, later too."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(self.world)
        self.counter = Counter(self.world)
        self.teller = Teller(self.world)

    @initialize(amount=st.sampled_from((None, 30, 100, 250)))
    def is_watched(self, amount: int | None) -> None:
        set_threshold(self.world, ACCOUNT, amount)

    # --- charges

    @rule(pick=which, right=st.sampled_from(RIGHTS), again=flags)
    def review(self, pick: int, right: str, again: bool) -> None:
        """One that waits for it; decided again in the same way, nothing happens."""
        ended = self._ended(pick, self._waits, cost="far more")
        if ended is None:
            return
        right_nano = {"nothing": 0, "half": ended.hold_nano // 2, "all": ended.hold_nano}.get(right)
        decide = partial(self.desk.review, ended, right_nano)
        refusals = (NotFound, WrongState, BadField, NotEnoughToTake)
        if self._tried(decide, "review", refusals) and again:
            require("C02", not self._tried(decide, "review", refusals), "a review is decided once")

    @rule(pick=which, cause=causes, late=flags)
    def dispute_charge(self, pick: int, cause: DisputeCause, late: bool) -> None:
        ended = self._ended(pick, lambda one: one.charge_nano > 0, cost="all")
        if ended is None:
            return
        if late:
            too_late = partial(self.desk.dispute, ended, cause, later_us=2 * DISPUTE_US)
            require("C02", not self._tried(too_late, "dispute", (WrongState,)), "a dispute comes in time")
        self._tried(partial(self.desk.dispute, ended, cause), "dispute", (WrongState,))

    @rule(pick=which, usage=st.sampled_from(USAGES), again=flags, reuses=flags)
    def tell_usage_late(self, pick: int, usage: str, again: bool, reuses: bool) -> None:
        """Of any request that has ended; told again it counts no more, and under an id of another it is refused."""
        ended = self._ended(pick, lambda _: True, cost="part")
        if ended is None:
            return
        hold_nano = ended.hold_nano
        rated_nano = {
            "nothing": 0,
            "half": hold_nano // 2,
            "all": hold_nano,
            "more": hold_nano + 7,
            "absurd": 4 * hold_nano + 1,
        }[usage]
        reports = self.desk.reports
        report_ref = reports[pick % len(reports)] if reuses and reports else f"r-{len(reports)}"
        tell = partial(self.desk.told, ended, report_ref, rated_nano)
        refusals = (WrongState, AlreadyExists, UsageAbsurd)
        if not self._tried(tell, "late usage", refusals):
            return
        reports.append(report_ref)
        if again:
            require("C02", not self._tried(tell, "late usage", refusals), "a report counts once")

    @rule(pick=which, agrees=flags, alone=flags)
    def decide_about_a_correction(self, pick: int, agrees: bool, alone: bool) -> None:
        """By another operator than the one who asked. When none waits, one is asked for; it may be too small to wait."""
        self.desk.read_on()
        if not self.desk.waiting():
            self.review(pick=pick, right="nothing", again=False)
        waiting = self.desk.waiting()
        if not waiting:
            return
        adjustment_id = waiting[pick % len(waiting)]
        if alone:
            must_refuse(
                SecondOperatorNeeded,
                lambda: self.desk.settle(adjustment_id, by=FIRST, agrees=agrees),
            )
        try:
            self.desk.settle(adjustment_id, by=SECOND, agrees=agrees)
        except NotEnoughToTake:
            self.world.note("a correction goes on waiting for credit")

    def _waits(self, ended: Ended) -> bool:
        case = self.desk.case(ended.request_id)
        return case.is_disputed or ended.held_for_review

    def _ended(self, pick: int, fits: Callable[[Ended], bool], *, cost: str) -> Ended | None:
        """A request that has ended and fits; when there is none, one comes in and costs so much. It may be refused."""
        self.desk.read_on()
        if not any(map(fits, self.desk.ended.values())):
            self._serve_through(self.awake(pick), pick + 1, cost, Fate.ANSWERED, micro=False)
            self.desk.read_on()
        ended = list(self.desk.ended.values())
        found = [one for one in ended if fits(one)] or ended
        return found[pick % len(found)] if found else None

    def _tried(self, decide: Callable[[], object], what: str, refusals: tuple[type[Refusal], ...]) -> bool:
        """Whether anything came of it."""
        try:
            decided = decide()
        except refusals as refusal:
            self.world.note(f"{what} refused as {type(refusal).__name__}")
            return False
        return decided is not None

    # --- codes

    @rule(
        count=st.integers(1, 3),
        per_account=st.integers(1, 2),
        amount=st.integers(1, 90),
        ends=st.sampled_from((None, None, 1, 2)),
        models=st.sampled_from(((), (), ALIASES[:1])),
    )
    def issue_codes(
        self, count: int, per_account: int, amount: int, ends: int | None, models: tuple[str, ...]
    ) -> None:
        until_us = None if ends is None else self.world.epoch_us(ends)
        self.counter.issue(
            count=count, per_account=per_account, amount_nano=amount, until_us=until_us, aliases=models
        )

    @rule(pick=which)
    def withdraw_codes(self, pick: int) -> None:
        if self.counter.batches:
            self.counter.withdraw(self.counter.batches[pick % len(self.counter.batches)])

    @rule(pick=which, then=st.sampled_from(("", "again", "another")), at_once=flags)
    def redeem(self, pick: int, then: str, at_once: bool) -> None:
        """Once, again, another of the batch, or by two who have both seen the code unused: the log takes one."""
        if not self.counter.codes:
            self.issue_codes(count=3, per_account=1, amount=pick + 1, ends=None, models=())
        codes = self.counter.codes
        code = codes[pick % len(codes)]
        drafts = [self._drafted(code)]
        if at_once:
            drafts.append(self._drafted(code))
        for draft in drafts:
            if draft and not self.world.log.append_batch([draft])[0]:
                self.world.note("a code was used by somebody else")
        more = {"again": code, "another": codes[(pick + 1) % len(codes)]}.get(then)
        draft = self._drafted(more) if more else []
        if draft:
            self.world.log.append(draft)

    def _drafted(self, code: tuple[str, UUID]) -> list[NewEvent]:
        try:
            return self.counter.draft(*code)
        except (CodeUsed, CodeLimit, WrongState) as refusal:
            self.world.note(f"code refused as {type(refusal).__name__}")
            return []

    # --- low balances

    @rule(amount=st.sampled_from((None, 0, 30, 100, 250)), own=flags)
    def set_threshold(self, amount: int | None, own: bool) -> None:
        set_threshold(self.world, ACCOUNT if own else None, amount)

    @rule(reborn=flags)
    def tell_of_low_balances(self, reborn: bool) -> None:
        """By who has told before; a new life looks at everything again."""
        self.teller.tell()
        if reborn:
            self.teller = Teller(self.world)
            self.teller.tell()

    @rule(at=which, hold=st.integers(1, 60))
    def spend(self, at: int, hold: int) -> None:
        """A request that is served and paid in whole: a balance falls."""
        self._serve_through(self.awake(at), hold, "all", Fate.ANSWERED, micro=False)

    def end(self) -> None:
        self.tell_of_low_balances(reborn=True)
        self.everything_adds_up()
        self.auditor.low_balances.finish()
