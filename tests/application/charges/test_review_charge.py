"""Operators decide about charges that were held, once; a difference is an adjustment about the request."""

from uuid import UUID

import pytest

from application.adjustments import approve_adjustment, deny_adjustment
from application.adjustments.approve_adjustment import ApproveAdjustment
from application.adjustments.deny_adjustment import DenyAdjustment
from application.command import Contended
from application.verify import render_text
from domain.ledger.adjusting import NotEnoughToTake
from domain.ledger.charges import ChargeReviewed
from domain.ledger.events import AdjustmentPosted, ChargeHeldForReview
from domain.refusal import NotFound, WrongState
from tests.application.charges.charge_world import (
    ABSURD,
    FIRST,
    OPEN,
    PLAIN,
    SECOND,
    ChargeWorld,
)


def test_only_what_cannot_be_is_held() -> None:
    """Right behind its charge; other charges have nothing behind them."""
    held = [event for event in ChargeWorld().events() if isinstance(event, ChargeHeldForReview)]
    assert [(one.request_id, one.charge_nano, one.reasons) for one in held] == [
        (ABSURD, 60, ("absurd", "clamped"))
    ]


def test_an_upheld_charge_moves_nothing() -> None:
    """It is decided, and that is all."""
    world = ChargeWorld()
    before = world.wallet.available_nano
    done = world.review(ABSURD)
    assert (done.correction, done.done.version, world.wallet.available_nano) == (None, 1, before)
    assert world.review(ABSURD).done.position is None
    with pytest.raises(WrongState):
        world.review(ABSURD, 10)
    assert world.verified().ok, render_text(world.verified())


def test_a_corrected_charge_is_an_adjustment_about_the_request() -> None:
    """Posted in the same append, once; the charge itself stays as it is."""
    world = ChargeWorld()
    before = world.wallet.available_nano
    assert world.review(ABSURD, 10).correction == "posted"
    assert world.review(ABSURD, 10, by=SECOND).done.position is None
    assert world.wallet.available_nano == before + 50
    (posted,) = [event for event in world.events() if isinstance(event, AdjustmentPosted)]
    assert (posted.ref, posted.direction, posted.amount_nano) == (ABSURD, "credit", 50)
    assert world.verified().ok, render_text(world.verified())


def test_above_the_limit_it_waits_for_another_operator() -> None:
    """As every adjustment does: nothing moves until then, and nothing else is decided about the request meanwhile."""
    world = ChargeWorld(approval_nano=49)
    before = world.wallet.available_nano
    assert world.review(ABSURD, 10).correction == "waiting"
    assert world.wallet.available_nano == before
    with pytest.raises(WrongState, match="waiting for a second operator"):
        world.told(ABSURD, 5)
    (reviewed,) = [event for event in world.events() if isinstance(event, ChargeReviewed)]
    assert isinstance(reviewed.adjustment_id, UUID)
    command = ApproveAdjustment(adjustment_id=reviewed.adjustment_id)
    approve_adjustment.handle(command, actor=SECOND, ports=world.ports)
    assert world.wallet.available_nano == before + 50
    assert world.told(ABSURD, 6).charged_nano == 2
    assert world.verified().ok, render_text(world.verified())


def test_what_the_second_operator_denies_leaves_the_charge_as_it_was() -> None:
    """Later usage is a difference to what was charged, not to what was asked for."""
    world = ChargeWorld(approval_nano=49)
    world.review(ABSURD, 10)
    (reviewed,) = [event for event in world.events() if isinstance(event, ChargeReviewed)]
    assert isinstance(reviewed.adjustment_id, UUID)
    command = DenyAdjustment(adjustment_id=reviewed.adjustment_id, reason="it was right")
    deny_adjustment.handle(command, actor=SECOND, ports=world.ports)
    assert world.told(ABSURD, 20).charged_nano == -20
    assert world.verified().ok, render_text(world.verified())


def test_what_was_not_held_or_has_not_ended_is_not_reviewed() -> None:
    """Nor what nobody knows."""
    world = ChargeWorld()
    for request_id, kind in ((PLAIN, NotFound), (OPEN, WrongState), (UUID(int=1), NotFound)):
        with pytest.raises(kind):
            world.review(request_id, 1)


def test_a_correction_upwards_takes_what_there_is_or_is_refused() -> None:
    """A review names an amount; where it cannot be taken, nothing is decided."""
    world = ChargeWorld()
    assert world.told(ABSURD, 5).charged_nano == -50
    world.drain()
    with pytest.raises(NotEnoughToTake):
        world.review(ABSURD, 60)
    assert not [event for event in world.events() if isinstance(event, ChargeReviewed)]


def test_two_operators_at_once_decide_once() -> None:
    """Whoever is second is told what was decided."""
    world = ChargeWorld()
    store = world.ports.store
    store.before_append = lambda: world.review(ABSURD, 20, by=SECOND)  # type: ignore[attr-defined]  # of the fake
    with pytest.raises((WrongState, Contended)):
        world.review(ABSURD, 10, by=FIRST)
    reviewed = [event for event in world.events() if isinstance(event, ChargeReviewed)]
    assert [(one.right_nano, one.actor) for one in reviewed] == [(20, SECOND.label)]
