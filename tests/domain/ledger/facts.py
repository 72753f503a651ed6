"""Facts of one account's wallet and lease, with only what a test talks about to be said; and the two specifications."""

from copy import deepcopy
from typing import Any
from uuid import UUID

import msgspec

from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.events import (
    AdjustmentDirection,
    AdjustmentPosted,
    Attempt,
    ChargeHeldForReview,
    CreditLotExpired,
    CreditLotGranted,
    CreditLotVoided,
    LeaseClosed,
    LeaseEvent,
    LeaseExtended,
    LeaseFenced,
    LeaseGranted,
    LeaseOpened,
    LeaseReduced,
    LeaseSettled,
    Owner,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    Units,
    UsageCharged,
    WalletEvent,
)
from domain.ledger.lease import Answer, Lease
from domain.ledger.lots import Slice
from domain.ledger.wallet import Wallet
from tests.spec import Spec

ACCOUNT, KEY, DEPLOYMENT = UUID(int=1), UUID(int=2), UUID(int=3)
LEASE, OTHER_LEASE = UUID(int=10), UUID(int=11)
OLD, NEW = UUID(int=20), UUID(int=21)  #: lots, in the order of granting
FIRST, SECOND = UUID(int=30), UUID(int=31)  #: requests
OWNER, REAPER = Owner(UUID(int=40), 1), Owner(UUID(int=41), 7)
NOW = 1_764_000_000_000_000
ATTEMPT = Attempt(
    deployment_id=DEPLOYMENT,
    provider="acme",
    model="big-1",
    status=200,
    outcome="ok",
    started_us=NOW,
    duration_ms=8,
)
ANSWER = Answer(
    key_id=KEY,
    alias="big",
    price_version=4,
    units=Units(input=900, cached_input=100, output=50, reasoning=20),
    usage_source="provider",
    usage_flags=("clamped",),
    usage_raw='{"prompt_tokens":1000}',
    result="completed",
    provider="acme",
    deployment_id=DEPLOYMENT,
    attempts=(ATTEMPT,),
    first_byte_ms=3,
    total_ms=9,
)


# The product folds in place; a specification must be able to fold from the same start again.


def _fold_wallet(wallet: Wallet, event: WalletEvent) -> Wallet:
    return wallet_rules.evolve(deepcopy(wallet), event)


def _fold_lease(lease: Lease, event: LeaseEvent) -> Lease:
    return lease_rules.evolve(deepcopy(lease), event)


WALLET_SPEC: Spec[Wallet] = Spec(_fold_wallet, initial=Wallet())
LEASE_SPEC: Spec[Lease] = Spec(_fold_lease, initial=Lease(LEASE))


def slices(*parts: tuple[UUID, int]) -> tuple[Slice, ...]:
    return tuple(Slice(lot_id, amount_nano) for lot_id, amount_nano in parts)


# --- the wallet


def lot(amount_nano: int, lot_id: UUID = OLD, **changes: Any) -> CreditLotGranted:
    fact = CreditLotGranted(
        account_id=ACCOUNT,
        lot_id=lot_id,
        amount_nano=amount_nano,
        source="paid",
        reason="recharge",
        granted_by="system",
        occurred_us=NOW,
    )
    return msgspec.structs.replace(fact, **changes)


def lot_expired(amount_nano: int, lot_id: UUID = OLD, *, at_us: int) -> CreditLotExpired:
    return CreditLotExpired(account_id=ACCOUNT, lot_id=lot_id, amount_nano=amount_nano, occurred_us=at_us)


def lot_voided(amount_nano: int, lot_id: UUID = OLD) -> CreditLotVoided:
    return CreditLotVoided(
        account_id=ACCOUNT,
        lot_id=lot_id,
        source="paid",
        amount_nano=amount_nano,
        adjustment_id=UUID(int=50),
        reason="granted by mistake",
        requested_by="operator:1",
        occurred_us=NOW,
    )


def adjusted(direction: AdjustmentDirection, amount_nano: int, lot_id: UUID) -> AdjustmentPosted:
    """By a lot that it makes, or from one."""
    fact = AdjustmentPosted(
        account_id=ACCOUNT,
        adjustment_id=lot_id,
        direction=direction,
        amount_nano=amount_nano,
        reason="charged by mistake",
        requested_by="operator:1",
        occurred_us=NOW,
    )
    side = "added" if direction == "credit" else "taken"
    return msgspec.structs.replace(fact, **{side: slices((lot_id, amount_nano))})


def granted(*parts: tuple[UUID, int], lease_id: UUID = LEASE) -> LeaseGranted:
    return LeaseGranted(
        account_id=ACCOUNT,
        lease_id=lease_id,
        owner=OWNER,
        mode="bulk",
        slices=slices(*parts),
        amount_nano=sum(amount_nano for _, amount_nano in parts),
        occurred_us=NOW,
    )


def extended(*parts: tuple[UUID, int], lease_id: UUID = LEASE) -> LeaseExtended:
    return LeaseExtended(
        account_id=ACCOUNT,
        lease_id=lease_id,
        slices=slices(*parts),
        amount_nano=sum(amount_nano for _, amount_nano in parts),
        occurred_us=NOW,
    )


def reduced(*parts: tuple[UUID, int], lease_id: UUID = LEASE) -> LeaseReduced:
    return LeaseReduced(
        account_id=ACCOUNT,
        lease_id=lease_id,
        slices=slices(*parts),
        amount_nano=sum(amount_nano for _, amount_nano in parts),
        occurred_us=NOW,
    )


def settled(*parts: tuple[UUID, int], charged_nano: int = 0, charges: int = 0) -> LeaseSettled:
    return LeaseSettled(
        account_id=ACCOUNT,
        lease_id=LEASE,
        outcome="closed",
        charged_nano=charged_nano,
        charges=charges,
        last_version=5,
        slices=slices(*parts),
        returned_nano=sum(amount_nano for _, amount_nano in parts),
        occurred_us=NOW,
    )


# --- the lease


def opened(amount_nano: int, **lots: Any) -> LeaseOpened:
    return LeaseOpened(
        account_id=ACCOUNT, owner=OWNER, amount_nano=amount_nano, valid_ms=10_000, occurred_us=NOW, **lots
    )


def admitted(request_id: UUID, hold_nano: int, **changes: Any) -> RequestAdmitted:
    fact = RequestAdmitted(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="big",
        stream=True,
        hold_nano=hold_nano,
        price_version=4,
        client_ref="their-id",
        occurred_us=NOW,
    )
    return msgspec.structs.replace(fact, **changes)


def charged(request_id: UUID, *, hold_nano: int, charge_nano: int, shortfall_nano: int = 0) -> UsageCharged:
    return UsageCharged(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="big",
        hold_nano=hold_nano,
        charge_nano=charge_nano,
        shortfall_nano=shortfall_nano,
        price_version=4,
        units=ANSWER.units,
        usage_source="provider",
        usage_flags=("clamped",),
        usage_raw='{"prompt_tokens":1000}',
        result="completed",
        provider="acme",
        deployment_id=DEPLOYMENT,
        attempts=(ATTEMPT,),
        first_byte_ms=3,
        total_ms=9,
        occurred_us=NOW,
    )


def held_for_review(request_id: UUID, *, hold_nano: int, charge_nano: int) -> ChargeHeldForReview:
    return ChargeHeldForReview(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="big",
        provider="acme",
        hold_nano=hold_nano,
        charge_nano=charge_nano,
        reasons=("absurd", "clamped"),
        occurred_us=NOW,
    )


def released(request_id: UUID, hold_nano: int) -> RequestReleased:
    return RequestReleased(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="big",
        hold_nano=hold_nano,
        code="upstream_timeout",
        attempts=(ATTEMPT,),
        total_ms=9,
        occurred_us=NOW,
    )


def abandoned(request_id: UUID, hold_nano: int) -> RequestAbandoned:
    return RequestAbandoned(request_id=request_id, account_id=ACCOUNT, hold_nano=hold_nano, occurred_us=NOW)


def closed(charged_nano: int = 0, charges: int = 0) -> LeaseClosed:
    return LeaseClosed(charged_nano=charged_nano, charges=charges, occurred_us=NOW)


def fenced(charged_nano: int = 0, charges: int = 0) -> LeaseFenced:
    return LeaseFenced(
        by=REAPER, reason="owner is dead", charged_nano=charged_nano, charges=charges, occurred_us=NOW
    )
