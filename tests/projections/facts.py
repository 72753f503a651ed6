"""Facts of one account and three requests, with what a test varies as arguments."""

from uuid import UUID

import msgspec

from application.eventlog import NewEvent
from domain.event import encode
from domain.ids import stream_of
from domain.ledger.events import (
    CreditLotGranted,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    Units,
    UsageCharged,
)
from domain.topics import REGISTRY

ACCOUNT, OTHER, KEY, LEASE, DEPLOYMENT = (UUID(int=number) for number in range(1, 6))
FIRST, SECOND, THIRD = (UUID(int=number) for number in range(11, 14))
WALLET = stream_of(ACCOUNT, "wallet")


def granted(amount_nano: int, lot: int = 1) -> CreditLotGranted:
    return CreditLotGranted(
        account_id=ACCOUNT,
        lot_id=UUID(int=lot),
        amount_nano=amount_nano,
        source="paid",
        reason="test",
        granted_by="system",
        occurred_us=1,
    )


def admitted(request_id: UUID, hold_nano: int, *, occurred_us: int = 5) -> RequestAdmitted:
    return RequestAdmitted(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="demo",
        stream=True,
        hold_nano=hold_nano,
        price_version=1,
        client_ref=None,
        occurred_us=occurred_us,
    )


def charged(request_id: UUID, hold_nano: int, charge_nano: int) -> UsageCharged:
    return UsageCharged(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="demo",
        hold_nano=hold_nano,
        charge_nano=charge_nano,
        shortfall_nano=0,
        price_version=1,
        units=Units(input=3, output=4),
        usage_source="provider",
        result="completed",
        provider="sandbox",
        deployment_id=DEPLOYMENT,
        attempts=(),
        first_byte_ms=1,
        total_ms=2,
        occurred_us=9,
    )


def released(request_id: UUID, hold_nano: int) -> RequestReleased:
    return RequestReleased(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="demo",
        hold_nano=hold_nano,
        code="timeout",
        attempts=(),
        total_ms=3,
        occurred_us=9,
    )


def abandoned(request_id: UUID, hold_nano: int) -> RequestAbandoned:
    return RequestAbandoned(request_id=request_id, account_id=ACCOUNT, hold_nano=hold_nano, occurred_us=9)


def with_poison(events: list[NewEvent], *, nth: int) -> tuple[list[NewEvent], int]:
    """The nth charge uses more tokens than a bigint holds: only `request_log` looks at tokens. And its index."""
    charges = [index for index, event in enumerate(events) if event.topic == UsageCharged.TOPIC]
    index = charges[nth]
    charged = REGISTRY.decode(events[index].topic, events[index].state)
    assert isinstance(charged, UsageCharged)
    poisoned = msgspec.structs.replace(charged, units=Units(input=2**70))
    return [
        *events[:index],
        msgspec.structs.replace(events[index], state=encode(poisoned)),
        *events[index + 1 :],
    ], index
