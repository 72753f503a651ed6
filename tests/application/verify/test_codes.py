"""`ledger verify` finds codes that are redeemed otherwise than they may be."""

from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest

from application.accounts import open_account
from application.promotions import issue_codes, redeem_code, start_demo
from domain.event import Event
from domain.fact import SYSTEM
from domain.ledger.events import CreditLotGranted
from domain.promotions.demo import DemoStarted
from domain.promotions.events import (
    CodeBatchIssued,
    RedemptionCodeIssued,
    RedemptionCodeRedeemed,
    RedemptionCounted,
)
from domain.topics import REGISTRY
from tests.application.verify.test_lots import Story, check, edit
from tests.fakes import MemoryEventStore, memory_ports


def story() -> Story:
    """A lawful one, by the real commands: a batch of three, and two accounts that redeem one each and have a demo."""
    ports = memory_ports()
    assert isinstance(ports.store, MemoryEventStore)
    command = issue_codes.IssueCodes(
        count=3, amount_nano=50, note="fair", redeem_until_us=ports.clock.now_us() + 5
    )
    made = issue_codes.handle(command, actor=SYSTEM, ports=ports)
    for code in made.codes[:2]:
        account_id = open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=ports).id
        redeem = redeem_code.RedeemCode(account_id=account_id, code=code)
        redeem_code.handle(redeem, actor=SYSTEM, ports=ports)
        demo = start_demo.StartDemo(account_id=account_id, amount_nano=7, days=1)
        start_demo.handle(demo, actor=SYSTEM, ports=ports)
    return [(one.stream_id, REGISTRY.decode(one.topic, one.state)) for one in ports.store.log]


def _places(told: Story, kind: type[Event]) -> list[int]:
    return [number for number, (_, event) in enumerate(told) if isinstance(event, kind)]


def drop(kind: type[Event], at: int = 0) -> Callable[[Story], None]:
    return lambda told: told.__delitem__(_places(told, kind)[at])


def again(kind: type[Event]) -> Callable[[Story], None]:
    """The same once more, with another lot."""

    def fault(told: Story) -> None:
        stream_id, event = told[_places(told, kind)[0]]
        told.append((stream_id, msgspec.structs.replace(event, lot_id=UUID(int=555))))

    return fault


def demo_again(told: Story) -> None:
    told.append(told[_places(told, DemoStarted)[0]])


def one_more_code(told: Story) -> None:
    _, event = told[_places(told, RedemptionCodeIssued)[0]]
    told.insert(_places(told, RedemptionCodeIssued)[-1] + 1, (UUID(int=555), event))


FAULTS: dict[str, Callable[[Story], None]] = {
    "a code that is worth more than its batch": edit(CreditLotGranted, amount_nano=51),
    "a code that another account is credited": edit(RedemptionCodeRedeemed, account_id=UUID(int=555)),
    "credit of a code that is not promotional": edit(CreditLotGranted, source="goodwill"),
    "a code that is redeemed twice": again(RedemptionCodeRedeemed),
    "a code that was never issued": drop(RedemptionCodeIssued),
    "a code of no batch": drop(CodeBatchIssued),
    "more codes than the batch has": one_more_code,
    "more for an account than it may have": again(RedemptionCounted),
    "a code that is not counted": drop(RedemptionCounted),
    "a code that is never credited": drop(CreditLotGranted),
    "a code that is redeemed after its time": edit(CodeBatchIssued, redeem_until_us=1),
    "a count of another account": edit(RedemptionCounted, account_id=UUID(int=555)),
    "a demo of more than was promised": edit(DemoStarted, amount_nano=8),
    "a demo of another account": edit(DemoStarted, account_id=UUID(int=555)),
    "a second demo": demo_again,
    "a demo that is never credited": drop(CreditLotGranted, 1),
    "a code of another batch": edit(RedemptionCodeRedeemed, batch_id=UUID(int=555)),
}


def test_a_lawful_story_is_clean() -> None:
    """Nothing is found."""
    assert check(story()).counts == {}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found(name: str) -> None:
    """By its code."""
    told = story()
    FAULTS[name](told)
    assert "C01" in check(told).counts
