"""Single commands outside any gateway: credit comes in, and commands are given again that were carried out."""

from collections.abc import Callable, Sequence
from uuid import UUID

from msgspec import UNSET

from domain.event import Event
from domain.ledger.adjustments import AdjustmentKind, AdjustmentRequested
from domain.ledger.claims import Claimed
from domain.ledger.credit import UNCONDITIONAL, LotConditions
from domain.ledger.events import AMOUNT_NANO_MAX
from domain.ledger.lease import Lease
from domain.ledger.lots import LotSource
from domain.refusal import Refusal
from tests.model.gateway import ANSWER, Gateway
from tests.model.store import new_event
from tests.model.switches import Decider
from tests.model.world import ACCOUNT, ALIAS, KEY, WALLET, Request, Violation, World


def grant_lot(
    world: World,
    lot_id: UUID,
    amount_nano: int,
    *,
    source: LotSource = "paid",
    conditions: LotConditions = UNCONDITIONAL,
) -> None:
    wallet = world.wallet()
    granted = world.rules.grant_credit(
        wallet,
        account_id=ACCOUNT,
        lot_id=lot_id,
        amount_nano=amount_nano,
        source=source,
        reason="recharge",
        granted_by="test",
        now_us=world.now_us(),
        conditions=conditions,
    )
    append(world, granted)


def append(world: World, decided: Sequence[Event]) -> None:
    """Store what was decided on the wallet as it is, in one append."""
    first = world.wallet().version + 1
    if decided:
        world.log.append([new_event(WALLET, version, event) for version, event in enumerate(decided, first)])


def expire(world: World) -> None:
    """What the scheduler does: take what is left in the wallet of lots that are over."""
    wallet = world.wallet()
    append(world, world.rules.expire_lots(wallet, account_id=ACCOUNT, now_us=world.now_us()))


def adjust(
    world: World,
    kind: AdjustmentKind,
    amount_nano: int,
    *,
    adjustment_id: UUID | None = None,
    lot_id: UUID | None = None,
) -> None:
    """What an operator does once it is agreed to."""
    wallet = world.wallet()
    asked = AdjustmentRequested(
        adjustment_id=adjustment_id or world.new_id(),
        account_id=ACCOUNT,
        kind=kind,
        amount_nano=amount_nano,
        reason="test",
        waits=False,
        lot_id=lot_id or UNSET,
        occurred_us=world.at_us,
        actor="operator:1",
    )
    append(world, world.rules.post_adjustment(wallet, asked, approved_by=None, now_us=world.now_us()))


def claim(world: World, decide: Decider, lot_id: UUID, claim_id: UUID, **amounts: int) -> None:
    """A refund or a dispute does something to a lot."""
    on = Claimed(account_id=ACCOUNT, lot_id=lot_id, claim_id=claim_id)
    append(world, decide(world.wallet(), on, now_us=world.now_us(), **amounts))


def must_refuse(refusal: type[Refusal], command: Callable[[], object]) -> None:
    try:
        command()
    except refusal:
        return
    raise Violation("P07", f"not refused as {refusal.__name__}")


def admit_again(world: World, lease: Lease, request: Request) -> object:
    return world.rules.admit(
        lease,
        request_id=request.request_id,
        key_id=KEY,
        alias=ALIAS,
        stream=False,
        hold_nano=0,
        price_version=1,
        client_ref=None,
        now_us=1,
    )


def charge_again(world: World, lease: Lease, request: Request) -> object:
    return world.rules.charge(lease, request_id=request.request_id, rated_nano=1, answer=ANSWER, now_us=1)


def grant_lease_again(world: World, gateway: Gateway, lease: Lease) -> object:
    return world.rules.grant_lease(
        gateway.wallet,
        account_id=ACCOUNT,
        lease_id=lease.lease_id,
        owner=gateway.owner,
        mode="bulk",
        amount_nano=1,
        now_us=1,
    )


COSTS = ("part", "nothing", "all", "more", "far more", "negative", "no 64-bit number")


def cost_nano(cost: str, hold_nano: int) -> int:
    """What an upstream's usage is rated at, the absurd included."""
    return {
        "part": hold_nano // 2,
        "nothing": 0,
        "all": hold_nano,
        "more": hold_nano + 1,
        "far more": AMOUNT_NANO_MAX // 1000,
        "negative": -hold_nano,
        "no 64-bit number": 2**80,
    }[cost]
