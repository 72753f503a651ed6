"""A customer disputes a charge; an operator sees why, and decides about it as about one that was held."""

from uuid import UUID

import pytest

from application.charges import dispute_charge
from application.charges.dispute_charge import DisputeCharge
from application.charges.remarks import read_disputes
from application.verify import render_text
from domain.ledger.charges import ChargeDisputed
from domain.refusal import BadField, NotFound, WrongState
from tests.application.charges.charge_world import ABSURD, ADA, OPEN, PLAIN, RELEASED, ChargeWorld

WORDS = "the answer to Ada's letter broke off"


def test_what_is_disputed_is_reviewed_and_given_back() -> None:
    """By reference to the request, as what was held is; then it may be disputed again."""
    world = ChargeWorld()
    before = world.wallet.available_nano
    assert world.dispute(PLAIN).position is not None
    assert world.dispute(PLAIN).position is None
    assert world.wallet.available_nano == before
    assert world.review(PLAIN, 5).correction == "posted"
    assert world.wallet.available_nano == before + 17
    world.dispute(PLAIN, "wrong-price")
    assert world.review(PLAIN).correction is None
    assert world.verified().ok, render_text(world.verified())


def test_a_remark_is_read_by_operators_and_not_in_the_log() -> None:
    """Sealed under the key of the account: erasing that erases it."""
    world = ChargeWorld()
    world.dispute(PLAIN, "broken-answer", f"  {WORDS}\n\nas always ")
    log = b"".join(one.state for one in world.ports.store.read_log(after_position=0, limit=1_000))
    assert b"letter" not in log
    (shown,) = read_disputes(world.ports, PLAIN).items
    assert (shown.cause, shown.remark, shown.charge_nano, shown.disputed_by) == (
        "broken-answer",
        f"{WORDS} as always",
        22,
        ADA.label,
    )
    world.ports.personal.erase(world.account_id)
    (erased,) = read_disputes(world.ports, PLAIN).items
    assert (erased.cause, erased.remark) == ("broken-answer", None)
    with pytest.raises(NotFound):
        read_disputes(world.ports, ABSURD)


def test_a_remark_is_needed_where_nothing_else_says_what_is_wrong() -> None:
    """Elsewhere it may be left out; and it is never longer than what can be read."""
    world = ChargeWorld()
    for remark in (None, "  \n"):
        with pytest.raises(BadField):
            world.dispute(PLAIN, "other", remark)
    with pytest.raises(BadField):
        world.dispute(PLAIN, remark="x" * 501)
    assert world.dispute(PLAIN, remark=" ").position is not None


def test_only_ones_own_requests_that_ended_and_cost_something_are_disputed() -> None:
    """What is another's is not there."""
    world = ChargeWorld()
    for request_id, kind in ((RELEASED, WrongState), (OPEN, WrongState), (UUID(int=1), NotFound)):
        with pytest.raises(kind):
            world.dispute(request_id)
    command = DisputeCharge(account_id=UUID(int=7), request_id=PLAIN, cause="no-answer")
    with pytest.raises(NotFound):
        dispute_charge.handle(command, actor=ADA, ports=world.ports)
    assert not [event for event in world.events() if isinstance(event, ChargeDisputed)]
    assert WORDS not in repr(DisputeCharge(account_id=PLAIN, request_id=PLAIN, cause="other", remark=WORDS))


def test_nothing_is_disputed_while_a_correction_waits() -> None:
    """What was paid is not known yet."""
    world = ChargeWorld(approval_nano=10)
    world.review(ABSURD, 10)
    with pytest.raises(WrongState, match="waiting for a second operator"):
        world.dispute(ABSURD)
