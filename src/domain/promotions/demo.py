"""Credit to try with: once for an account, once for each of its owners, and once for each mail address of theirs."""

from typing import ClassVar, Final
from uuid import UUID

from domain.event import Event
from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.ledger.credit import LotConditions, grant_credit
from domain.ledger.events import WalletEvent
from domain.ledger.wallet import Wallet
from domain.refusal import BadField, Refusal

DAYS_MAX: Final = 366
_DAY_US: Final = 86_400 * 1_000_000
_ADDRESSES: Final = UUID("b1a54f0e-9d55-5f0b-8a43-6f4be5d8f1c2")


class DemoStarted(Fact, frozen=True, kw_only=True):
    """The account has credit to try with; in one append with the lot, and with a claim for each owner and each address of theirs."""

    TOPIC: ClassVar[str] = "demo.started.v1"

    account_id: UUID
    lot_id: UUID
    amount_nano: int
    expires_us: int


class DemoClaimed(Fact, frozen=True, kw_only=True):
    """An address, or a person, has had their demo: the only event of a stream that is named after the address' keyed hash or the person."""

    TOPIC: ClassVar[str] = "demo.claimed.v1"

    account_id: UUID


DEMO_EVENTS: tuple[type[Event], ...] = (DemoStarted, DemoClaimed)


class DemoUsed(Refusal):
    """The account, or somebody who owns it, has had credit to try with before; nothing was granted."""

    code: ClassVar[str] = "demo_used"


def demo_stream(account_id: UUID) -> UUID:
    return stream_of(account_id, "demo")


def person_stream(person_id: UUID) -> UUID:
    """The stream of what a person has claimed, whatever their address is by now."""
    return stream_of(person_id, "demo")


def address_stream(address_hash: bytes) -> UUID:
    """The stream of what an address has claimed. Whoever reads the log cannot tell the address from it."""
    return stream_of(_ADDRESSES, address_hash.hex())


def plain_address(email: str) -> str:
    """What counts as one address: case and what stands behind a plus make no other person."""
    local, _, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def start(
    wallet: Wallet,
    *,
    account_id: UUID,
    amount_nano: int,
    days: int,
    models: tuple[str, ...],
    used: bool,
    stamp: Stamp,
) -> tuple[DemoStarted, list[WalletEvent]]:
    """Give credit that ends after some days; a debt takes its part of it. `used`: the account or an address has had some.

    Raises:
        DemoUsed: see there.
        BadField: the days or the models cannot be meant.
        AmountOutOfRange: as `credit.grant_credit`.
    """
    if used:
        raise DemoUsed("there is one demo for each customer")
    if not 1 <= days <= DAYS_MAX:
        raise BadField("days", f"must be 1 to {DAYS_MAX}")
    lot_id, expires_us = stream_of(demo_stream(account_id), "lot"), stamp.now_us + days * _DAY_US
    granted = grant_credit(
        wallet,
        account_id=account_id,
        lot_id=lot_id,
        amount_nano=amount_nano,
        source="promo",
        reason="demo",
        granted_by=stamp.actor,
        now_us=stamp.now_us,
        conditions=LotConditions(expires_us=expires_us, aliases=models),
    )
    started = DemoStarted(
        account_id=account_id,
        lot_id=lot_id,
        amount_nano=amount_nano,
        expires_us=expires_us,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    return started, granted
