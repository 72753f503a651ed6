"""Commands that correct credit: posted once, or waiting for another operator."""

from uuid import UUID

import pytest

from application.accounts import open_account
from application.adjustments import adjust_credit, approve_adjustment, deny_adjustment, void_lot
from application.adjustments.adjust_credit import AdjustCredit
from application.adjustments.approve_adjustment import ApproveAdjustment
from application.adjustments.deny_adjustment import DenyAdjustment
from application.adjustments.posting import Adjusted
from application.adjustments.void_lot import VoidLot
from application.command import Contended, Ports
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.wallet_reader import load_wallet
from domain.event import Event
from domain.fact import SYSTEM, Actor
from domain.ledger.adjusting import NotEnoughToTake
from domain.ledger.events import AdjustmentPosted, CreditLotVoided
from domain.ledger.wallet import Wallet
from domain.refusal import AlreadyExists, NotFound, SecondOperatorNeeded, WrongState
from domain.topics import REGISTRY
from tests.fakes import MemoryEventStore, memory_ports

FIRST, SECOND = Actor("operator", UUID(int=901)), Actor("operator", UUID(int=902))
ADJUSTMENT, LOT = UUID(int=910), UUID(int=911)
ABOVE = 101  #: the limit of the fake installation is 100


class Office:
    """An account with 1,000 nano-credits, and two operators."""

    def __init__(self) -> None:
        self.ports: Ports = memory_ports()
        opened = open_account.handle(open_account.OpenAccount(name="Ada"), actor=SYSTEM, ports=self.ports)
        self.account_id = opened.id
        self.grant(1_000, LOT)

    def grant(self, amount_nano: int, lot_id: UUID) -> None:
        command = GrantCredit(
            account_id=self.account_id,
            lot_id=lot_id,
            amount_nano=amount_nano,
            source="paid",
            reason="paid",
            granted_by="system",
        )
        grant_credit(command, store=self.ports.store, clock=self.ports.clock)

    def adjust(
        self, direction: str, amount_nano: int, *, by: Actor = FIRST, reason: str = "wrong"
    ) -> Adjusted:
        command = AdjustCredit(
            account_id=self.account_id,
            direction=direction,  # type: ignore[arg-type]  # credit or debit
            amount_nano=amount_nano,
            reason=reason,
            adjustment_id=ADJUSTMENT,
        )
        return adjust_credit.handle(command, actor=by, ports=self.ports)

    def void(self, lot_id: UUID = LOT, *, by: Actor = FIRST) -> Adjusted:
        command = VoidLot(
            account_id=self.account_id, lot_id=lot_id, reason="wrong account", adjustment_id=ADJUSTMENT
        )
        return void_lot.handle(command, actor=by, ports=self.ports)

    def approve(self, *, by: Actor = SECOND) -> Adjusted:
        return approve_adjustment.handle(
            ApproveAdjustment(adjustment_id=ADJUSTMENT), actor=by, ports=self.ports
        )

    def deny(self, *, by: Actor = SECOND) -> Adjusted:
        command = DenyAdjustment(adjustment_id=ADJUSTMENT, reason="it was right")
        return deny_adjustment.handle(command, actor=by, ports=self.ports)

    @property
    def wallet(self) -> Wallet:
        return load_wallet(self.ports.store, self.account_id).wallet

    def posted(self) -> list[Event]:
        assert isinstance(self.ports.store, MemoryEventStore)
        events = [REGISTRY.decode(one.topic, one.state) for one in self.ports.store.log]
        return [one for one in events if isinstance(one, AdjustmentPosted | CreditLotVoided)]


@pytest.mark.parametrize(("direction", "available_nano"), [("credit", 1_100), ("debit", 900)])
def test_up_to_the_limit_it_is_posted_at_once(direction: str, available_nano: int) -> None:
    """And once, however often it is asked for, by whomever."""
    office = Office()
    done = office.adjust(direction, 100)
    assert (done.state, done.amount_nano, done.done.version) == ("posted", 100, 1)
    again = office.adjust(direction, 100, by=SECOND)
    assert (again.state, again.done.position) == ("posted", None)
    assert office.wallet.available_nano == available_nano
    (posted,) = office.posted()
    assert isinstance(posted, AdjustmentPosted)
    assert (posted.requested_by, bool(posted.approved_by)) == (FIRST.label, False)


@pytest.mark.parametrize(("direction", "available_nano"), [("credit", 1_101), ("debit", 899)])
def test_above_the_limit_it_waits_for_another_operator(direction: str, available_nano: int) -> None:
    """Nothing moves until then; then once."""
    office = Office()
    assert office.adjust(direction, ABOVE).state == "waiting"
    assert office.wallet.available_nano == 1_000
    with pytest.raises(SecondOperatorNeeded):
        office.approve(by=FIRST)
    assert office.posted() == []
    assert office.approve().state == "posted"
    assert office.approve().done.position is None
    assert office.wallet.available_nano == available_nano
    (posted,) = office.posted()
    assert isinstance(posted, AdjustmentPosted)
    assert (posted.requested_by, posted.approved_by) == (FIRST.label, SECOND.label)


def test_what_is_denied_is_never_posted() -> None:
    """Nor is it asked for again under the same id."""
    office = Office()
    office.adjust("credit", ABOVE)
    assert office.deny().state == "denied"
    with pytest.raises(WrongState):
        office.approve()
    assert office.adjust("credit", ABOVE).state == "denied"
    assert office.posted() == []


def test_more_than_there_is_cannot_be_taken_now_or_later() -> None:
    """It is refused when it is asked for, and when it is agreed to: then it goes on waiting."""
    office = Office()
    with pytest.raises(NotEnoughToTake):
        office.adjust("debit", 1_001)
    with pytest.raises(NotFound):
        office.deny()
    office.adjust("debit", 900)
    other = UUID(int=912)
    command = AdjustCredit(
        account_id=office.account_id, direction="debit", amount_nano=100, reason="other", adjustment_id=other
    )
    adjust_credit.handle(command, actor=FIRST, ports=office.ports)
    office.adjust("debit", 900)
    office.grant(50, UUID(int=913))
    assert office.approve().state == "posted"
    assert office.wallet.available_nano == 50


def test_a_debit_that_became_too_large_goes_on_waiting() -> None:
    """The one who agrees learns the numbers, and may agree again when there is credit."""
    office = Office()
    office.adjust("debit", 900)
    spend = AdjustCredit(
        account_id=office.account_id,
        direction="debit",
        amount_nano=100,
        reason="x",
        adjustment_id=UUID(int=912),
    )
    adjust_credit.handle(spend, actor=FIRST, ports=office.ports)
    adjust_credit.handle(
        AdjustCredit(
            account_id=office.account_id,
            direction="debit",
            amount_nano=1,
            reason="x",
            adjustment_id=UUID(int=914),
        ),
        actor=FIRST,
        ports=office.ports,
    )
    with pytest.raises(NotEnoughToTake) as refused:
        office.approve()
    assert (refused.value.required_nano, refused.value.available_nano) == (900, 899)
    office.grant(1, UUID(int=913))
    assert office.approve().state == "posted"
    assert office.wallet.available_nano == 0


def test_an_id_of_another_adjustment_is_refused() -> None:
    """It would be told that it is done."""
    office = Office()
    office.adjust("credit", 5)
    with pytest.raises(AlreadyExists):
        office.adjust("credit", 6)
    with pytest.raises(AlreadyExists):
        office.void()


def test_a_small_lot_is_taken_back_at_once_and_a_large_one_by_two() -> None:
    """What counts is what is left."""
    office = Office()
    office.grant(100, UUID(int=913))
    assert office.void(UUID(int=913)).state == "posted"
    assert office.wallet.available_nano == 1_000
    large = Office()
    waiting = large.void()
    assert (waiting.state, waiting.amount_nano) == ("waiting", 1_000)
    assert large.void().done.position is None
    assert large.approve().state == "posted"
    assert large.void().state == "posted"
    assert (large.wallet.available_nano, large.wallet.taken_nano) == (0, 1_000)
    (posted,) = large.posted()
    assert isinstance(posted, CreditLotVoided)
    assert (posted.requested_by, posted.approved_by) == (FIRST.label, SECOND.label)


def test_an_account_that_is_not_there_is_not_adjusted() -> None:
    """A wallet would come into being that nobody has."""
    office = Office()
    office.account_id = UUID(int=999)
    with pytest.raises(NotFound):
        office.adjust("credit", 5)
    with pytest.raises(NotFound):
        office.void()


def test_it_is_decided_again_when_another_writer_was_faster() -> None:
    """On what is true then: here the wallet has moved between reading and storing."""
    office = Office()
    assert isinstance(office.ports.store, MemoryEventStore)
    office.ports.store.before_append = lambda: office.grant(7, UUID(int=913))
    assert office.adjust("debit", 100).state == "posted"
    assert office.wallet.available_nano == 907


def test_a_wallet_that_never_rests_is_given_up() -> None:
    """Nothing is stored, and the same command may be tried again."""
    office = Office()
    store = office.ports.store
    assert isinstance(store, MemoryEventStore)
    count = iter(range(1_000, 2_000))

    def race() -> None:
        office.grant(1, UUID(int=next(count)))
        store.before_append = race

    store.before_append = race
    with pytest.raises(Contended):
        office.adjust("debit", 100)
    store.before_append = None
    assert office.posted() == []
    assert office.adjust("debit", 100).state == "posted"
