"""Repricing: charges of the past by another version of the prices, and what each customer gets back or owes.

Nothing is edited: the difference of a customer over all charges is one adjustment with the run as `ref`. All runs are in
one stream, so that no charge is repriced twice.
"""

import hashlib
from collections.abc import Iterable
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from domain.fact import Fact, Stamp
from domain.ledger.events import UsageCharged
from domain.pricing import NO_MARKUP_PPM, Price, charge_nano
from domain.refusal import BadField, Refusal
from domain.text import REASON_CHARS_MAX, printable

REPRICING_STREAM: Final = UUID("3f9d2c71-6b0e-5a48-9c1d-7e2f5a4b8d60")
ACCOUNTS_MAX: Final = 10_000


class RepricingQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which charges, and by which version of the prices instead. Times bound when they were made: from <= t < until."""

    alias: str
    from_us: int
    until_us: int
    new_price_version: int
    price_version: int | None = None  #: only charges by this version; none: by any but the new one

    def covers(self, charge: UsageCharged) -> bool:
        if charge.alias != self.alias or not self.from_us <= charge.occurred_us < self.until_us:
            return False
        if self.price_version is None:
            return charge.price_version != self.new_price_version
        return charge.price_version == self.price_version

    def overlaps(self, other: "RepricingQuestion") -> bool:
        """Some charge may be in both."""
        versions = {self.price_version, other.price_version}
        return (
            self.alias == other.alias
            and self.from_us < other.until_us
            and other.from_us < self.until_us
            and (None in versions or len(versions) == 1)
        )


class RepricedAccount(msgspec.Struct, frozen=True, array_like=True):
    """One customer, stored as an array."""

    account_id: UUID
    charges: int
    paid_nano: int
    right_nano: int  #: by the other version, each charge still at most its hold

    @property
    def due_nano(self) -> int:
        """What the customer gets back; negative: what they paid too little."""
        return self.paid_nano - self.right_nano


class RepricingRunPosted(Fact, frozen=True, kw_only=True):
    """A plan was made true: one adjustment for each customer with a difference, which may wait for a second operator."""

    TOPIC: ClassVar[str] = "repricing.run-posted.v1"

    run_id: UUID
    plan_sha256: str
    question: RepricingQuestion
    accounts: tuple[RepricedAccount, ...]  #: with a difference
    charges: int
    credit_nano: int  #: what customers get back
    debit_nano: int  #: what customers paid too little
    with_debits: bool  #: whether that is taken, as far as there is credit; otherwise it is let go
    waits: bool  #: for a second operator, with all its adjustments
    reason: str

    def adjustments(self) -> Iterable[tuple[UUID, RepricedAccount]]:
        """The ids of what the run posts."""
        for one in self.accounts:
            if one.due_nano > 0 or self.with_debits:
                yield adjustment_of(self.run_id, one.account_id), one


REPRICING_EVENTS: tuple[type[Fact], ...] = (RepricingRunPosted,)


class PlanChanged(Refusal):
    """The plan comes out differently now, or was another one; nothing was posted. Look at it again."""

    code: ClassVar[str] = "plan_changed"


class AlreadyRepriced(Refusal):
    """Another run has repriced some of these charges; nothing was posted."""

    code: ClassVar[str] = "already_repriced"


class RepricingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do. The same log and question give the same plan, and the same hash."""

    question: RepricingQuestion
    accounts: tuple[RepricedAccount, ...]  #: all with such charges, by id
    charges: int
    credit_nano: int
    debit_nano: int
    sha256: str


class Runs(msgspec.Struct, frozen=True):
    """The fold of the stream."""

    posted: tuple[RepricingRunPosted, ...] = ()


def evolve(runs: Runs, event: RepricingRunPosted) -> Runs:
    """The runs after one more."""
    return Runs((*runs.posted, event))


def run_of(plan_sha256: str) -> UUID:
    return uuid5(REPRICING_STREAM, plan_sha256)


def adjustment_of(run_id: UUID, account_id: UUID) -> UUID:
    return uuid5(run_id, str(account_id))


class Repricing:
    """Adds up a plan, charge by charge."""

    def __init__(self, question: RepricingQuestion, *, price: Price, markup_ppm: int) -> None:
        self._question = question
        self._price = price
        self._markup_ppm = markup_ppm
        self._sums: dict[UUID, list[int]] = {}

    def take(self, charge: UsageCharged) -> None:
        """Hour and service tier stay what they were; nobody pays more than was on hold.

        Raises:
            BadField: the plan has more customers than a run may have.
        """
        if not self._question.covers(charge):
            return
        rated_nano = charge_nano(
            charge.units, self._price, self._markup_ppm, factor_ppm=charge.factor_ppm or NO_MARKUP_PPM
        )
        sums = self._sums.setdefault(charge.account_id, [0, 0, 0])
        sums[0] += 1
        sums[1] += charge.charge_nano
        sums[2] += min(rated_nano, charge.hold_nano)
        if len(self._sums) > ACCOUNTS_MAX:
            raise BadField(
                "until_us", f"reaches charges of more than {ACCOUNTS_MAX} accounts: take less at once"
            )

    def plan(self) -> RepricingPlan:
        accounts = tuple(
            RepricedAccount(account_id, *sums)
            for account_id, sums in sorted(self._sums.items(), key=lambda item: item[0].int)
        )
        content = msgspec.json.encode([self._question, accounts], order="deterministic")
        return RepricingPlan(
            question=self._question,
            accounts=accounts,
            charges=sum(one.charges for one in accounts),
            credit_nano=sum(max(one.due_nano, 0) for one in accounts),
            debit_nano=sum(max(-one.due_nano, 0) for one in accounts),
            sha256=hashlib.sha256(content).hexdigest(),
        )


def post(
    runs: Runs,
    plan: RepricingPlan,
    *,
    plan_sha256: str,
    with_debits: bool,
    approval_nano: int,
    reason: str,
    stamp: Stamp,
) -> list[RepricingRunPosted]:
    """Make a plan true; the same again does nothing.

    Raises:
        PlanChanged: the plan is not the one with this hash.
        AlreadyRepriced: see there.
        BadField: nobody gets anything, or the reason cannot be shown.
    """
    shown = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if plan.sha256 != plan_sha256:
        raise PlanChanged(f"the plan is {plan.sha256} now")
    for run in runs.posted:
        if run.plan_sha256 == plan_sha256:
            return []
        if run.question.overlaps(plan.question):
            raise AlreadyRepriced(f"run {run.run_id} has repriced some of these charges")
    total_nano = plan.credit_nano + (plan.debit_nano if with_debits else 0)
    if not total_nano:
        raise BadField("plan", "moves nothing")
    return [
        RepricingRunPosted(
            run_id=run_of(plan_sha256),
            plan_sha256=plan_sha256,
            question=plan.question,
            accounts=tuple(one for one in plan.accounts if one.due_nano),
            charges=plan.charges,
            credit_nano=plan.credit_nano,
            debit_nano=plan.debit_nano,
            with_debits=with_debits,
            waits=total_nano > approval_nano,
            reason=shown,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]
