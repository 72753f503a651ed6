"""Post the adjustments of a repricing plan that somebody has looked at."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.adjustments.posting import draft, store_draft
from application.command import Command, Done, Ports, execute, load, stamp
from application.repricing.plan import plan_repricing
from domain import repricing
from domain.fact import Actor
from domain.ledger.adjusting import NotEnoughToTake
from domain.ledger.adjustments import AdjustmentRequested
from domain.operators import Permission
from domain.repricing import (
    REPRICING_STREAM,
    RepricedAccount,
    RepricingQuestion,
    RepricingRunPosted,
    Runs,
    run_of,
)


class PostRepricing(Command, frozen=True, kw_only=True):
    """The same question as that of the plan, and the plan's hash. May be repeated, also after having been killed."""

    permission: ClassVar[Permission] = "credit"

    plan: str
    alias: str
    from_us: int
    until_us: int
    new_price_version: int
    reason: str
    price_version: int | None = None
    with_debits: bool = False

    @property
    def question(self) -> RepricingQuestion:
        return RepricingQuestion(
            alias=self.alias,
            from_us=self.from_us,
            until_us=self.until_us,
            new_price_version=self.new_price_version,
            price_version=self.price_version,
        )


class RunPosted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run's adjustments. Those that are not taken had more to pay than they have credit; repeat it later."""

    run_id: UUID
    posted: int
    waiting: int
    denied: int
    not_taken: tuple[UUID, ...]  #: accounts
    done: Done


def handle(command: PostRepricing, *, actor: Actor, ports: Ports) -> RunPosted:
    """Post it, or let all of it wait for a second operator if the total is above `ports.approval_nano`.

    Raises:
        PlanChanged, AlreadyRepriced, BadField: as `repricing.post`; nothing was posted.
        NotFound: as `plan_repricing`.
    """
    at = stamp(ports, actor)
    plan = plan_repricing(ports.store, command.question)
    done = execute(
        ports.store,
        REPRICING_STREAM,
        Runs(),
        repricing.evolve,
        lambda runs: repricing.post(
            runs,
            plan,
            plan_sha256=command.plan,
            with_debits=command.with_debits,
            approval_nano=ports.approval_nano,
            reason=command.reason,
            stamp=at,
        ),
    )
    return _adjust(ports, find_run(ports, run_of(command.plan)), done)


def find_run(ports: Ports, run_id: UUID) -> RepricingRunPosted | None:
    """A run that was posted."""
    runs = load(ports.store, REPRICING_STREAM, Runs(), repricing.evolve)
    return next((run for run in runs.posted if run.run_id == run_id), None)


def _adjust(ports: Ports, run: RepricingRunPosted | None, done: Done) -> RunPosted:
    assert run is not None  # it is stored by now
    counts = {"posted": 0, "waiting": 0, "denied": 0}
    not_taken = []
    for adjustment_id, account in run.adjustments():
        wanted = _wanted(run, adjustment_id, account)
        try:
            counts[store_draft(ports, lambda wanted=wanted: draft(ports, wanted)).state] += 1  # type: ignore[misc]  # bound now
        except NotEnoughToTake:
            not_taken.append(account.account_id)
    return RunPosted(run_id=run.run_id, **counts, not_taken=tuple(not_taken), done=done)


def _wanted(run: RepricingRunPosted, adjustment_id: UUID, account: RepricedAccount) -> AdjustmentRequested:
    """In the name of who posted the run, when it was posted: the same each time."""
    return AdjustmentRequested(
        adjustment_id=adjustment_id,
        account_id=account.account_id,
        kind="credit" if account.due_nano > 0 else "debit",
        amount_nano=abs(account.due_nano),
        reason=run.reason,
        waits=run.waits,
        ref=run.run_id,
        occurred_us=run.occurred_us,
        actor=run.actor,
    )
