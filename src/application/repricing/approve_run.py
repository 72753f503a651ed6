"""Agree to all adjustments of a repricing run that another operator has posted."""

from typing import ClassVar
from uuid import UUID

from application.adjustments.posting import load_adjustment, settle
from application.command import Command, Done, Ports, stamp
from application.repricing.post_run import RunPosted, find_run
from domain.fact import Actor
from domain.ledger import adjustments
from domain.ledger.adjusting import NotEnoughToTake
from domain.operators import Permission
from domain.refusal import NotFound


class ApproveRepricing(Command, frozen=True, kw_only=True):
    """May be repeated. One by one they can be denied before, as any adjustment."""

    permission: ClassVar[Permission] = "credit"

    run_id: UUID


def handle(command: ApproveRepricing, *, actor: Actor, ports: Ports) -> RunPosted:
    """Approve and post each that waits.

    Raises:
        NotFound: there is no such run.
        SecondOperatorNeeded, NotPermitted: as `adjustments.approve`; nothing was posted.
    """
    run = find_run(ports, command.run_id)
    if run is None:
        raise NotFound("repricing run", command.run_id)
    at = stamp(ports, actor)
    counts = {"posted": 0, "waiting": 0, "denied": 0}
    not_taken = []
    done = Done(version=0, position=None, events=())
    for adjustment_id, account in run.adjustments():
        adjustment, _ = load_adjustment(ports.store, adjustment_id)
        if adjustment.asked is None or adjustment.state == "denied":
            counts["denied"] += adjustment.asked is not None
            if adjustment.asked is None:
                not_taken.append(account.account_id)
            continue
        try:
            settled = settle(
                ports,
                adjustment_id,
                lambda one, wanted=adjustment_id: adjustments.approve(  # type: ignore[misc]  # bound now
                    one, adjustment_id=wanted, by=actor, stamp=at
                ),
                stamp=at,
            )
        except NotEnoughToTake:
            counts["waiting"] += 1
            not_taken.append(account.account_id)
            continue
        counts[settled.state] += 1
        done = settled.done if settled.done.position else done
    return RunPosted(run_id=run.run_id, **counts, not_taken=tuple(not_taken), done=done)
