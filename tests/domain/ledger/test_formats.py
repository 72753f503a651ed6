"""The stored form of the ledger's facts, said a second time: not only does a sample read back, it means the same."""

from pathlib import Path
from uuid import UUID

import pytest

from domain.event import Event, TopicRegistry, encode
from domain.ledger.claim_events import (
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    ReceivableWrittenOff,
    TakenCreditRestored,
)
from domain.ledger.events import (
    LEDGER_EVENTS,
    AdjustmentPosted,
    Attempt,
    ChargeHeldForReview,
    CreditLotExpired,
    CreditLotGranted,
    CreditLotVoided,
    LeaseClosed,
    LeaseExtended,
    LeaseFenced,
    LeaseGaveBack,
    LeaseGranted,
    LeaseOpened,
    LeaseRecallRequested,
    LeaseReduced,
    LeaseSettled,
    LeaseShareRaised,
    LeaseShareReturned,
    LeaseToppedUp,
    Owner,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    Units,
    UsageCharged,
)
from domain.ledger.idempotency import (
    IDEMPOTENCY_EVENTS,
    IdempotencyKeyClaimed,
    IdempotencyOutcomeRecorded,
)
from domain.ledger.lots import Slice
from domain.ledger.shares import BudgetBucket

SAMPLES = Path(__file__).parents[2] / "golden" / "events"
AT = 1_764_000_000_000_000


def _id(number: int) -> UUID:
    return UUID(f"0193a5e0-0000-7000-8000-{number:012x}")


ACCOUNT, KEY, REQUEST, LOT, LEASE = _id(1), _id(2), _id(0x13), _id(0x10), _id(0x11)
OWNER, OTHER = Owner(_id(0x12), 3), Owner(_id(0x15), 1)
FAILED = Attempt(
    deployment_id=_id(4),
    provider="acme",
    model="big-1",
    status=503,
    outcome="overloaded",
    started_us=AT,
    duration_ms=41,
)
ANSWERED = Attempt(
    deployment_id=_id(5),
    provider="acme-eu",
    model="big-1",
    status=200,
    outcome="ok",
    started_us=AT + 42_000,
    duration_ms=930,
    upstream_request_id="req_7",
)
FACTS: tuple[Event, ...] = (
    CreditLotGranted(
        account_id=ACCOUNT,
        lot_id=LOT,
        amount_nano=25_000_000_000,
        source="promo",
        reason="demo credit",
        granted_by="system",
        occurred_us=AT,
    ),
    CreditLotExpired(account_id=ACCOUNT, lot_id=LOT, amount_nano=1_000_000_000, occurred_us=AT),
    AdjustmentPosted(
        account_id=ACCOUNT,
        adjustment_id=_id(0x16),
        direction="debit",
        amount_nano=2_000_000_000,
        reason="served after the key was revoked",
        requested_by="operator:0193a5e0-0000-7000-8000-000000000017",
        occurred_us=AT,
        taken=(Slice(LOT, 2_000_000_000),),
        approved_by="operator:0193a5e0-0000-7000-8000-000000000018",
        ref=REQUEST,
    ),
    CreditLotVoided(
        account_id=ACCOUNT,
        lot_id=LOT,
        source="promo",
        amount_nano=3_000_000_000,
        adjustment_id=_id(0x16),
        reason="granted to the wrong account",
        requested_by="operator:0193a5e0-0000-7000-8000-000000000017",
        occurred_us=AT,
    ),
    LeaseGranted(
        account_id=ACCOUNT,
        lease_id=LEASE,
        owner=OWNER,
        mode="bulk",
        slices=(Slice(LOT, 5_000_000_000),),
        amount_nano=5_000_000_000,
        occurred_us=AT,
    ),
    LeaseExtended(
        account_id=ACCOUNT,
        lease_id=LEASE,
        slices=(Slice(LOT, 5_000_000_000),),
        amount_nano=5_000_000_000,
        occurred_us=AT,
    ),
    LeaseReduced(account_id=ACCOUNT, lease_id=LEASE, slices=(Slice(LOT, 7),), amount_nano=7, occurred_us=AT),
    LeaseRecallRequested(account_id=ACCOUNT, by=OTHER, wanted_nano=1_000_000, occurred_us=AT),
    LeaseSettled(
        account_id=ACCOUNT,
        lease_id=LEASE,
        outcome="closed",
        charged_nano=4_999_999_993,
        charges=12,
        last_version=27,
        slices=(Slice(LOT, 7),),
        returned_nano=7,
        occurred_us=AT,
    ),
    CreditFrozen(
        account_id=ACCOUNT,
        lot_id=LOT,
        claim_id=_id(0x20),
        cause="dispute",
        wanted_nano=10_000_000_000,
        amount_nano=3_000_000_000,
        occurred_us=AT,
    ),
    CreditUnfrozen(
        account_id=ACCOUNT,
        lot_id=LOT,
        claim_id=_id(0x20),
        source="paid",
        amount_nano=3_000_000_000,
        ends=True,
        occurred_us=AT,
    ),
    FrozenCreditTaken(
        account_id=ACCOUNT,
        lot_id=LOT,
        claim_id=_id(0x20),
        source="paid",
        wanted_nano=10_000_000_000,
        amount_nano=3_000_000_000,
        owed_nano=7_000_000_000,
        occurred_us=AT,
    ),
    TakenCreditRestored(
        account_id=ACCOUNT,
        lot_id=LOT,
        claim_id=_id(0x21),
        source="paid",
        amount_nano=10_000_000_000,
        occurred_us=AT,
    ),
    ReceivableSettled(
        account_id=ACCOUNT,
        slices=(Slice(LOT, 6_000_000_000),),
        amount_nano=6_000_000_000,
        occurred_us=AT,
    ),
    ReceivableWrittenOff(
        account_id=ACCOUNT,
        adjustment_id=_id(0x16),
        amount_nano=1_000_000_000,
        reason="the company is no more",
        requested_by="operator:0193a5e0-0000-7000-8000-000000000017",
        occurred_us=AT,
        approved_by="operator:0193a5e0-0000-7000-8000-000000000018",
    ),
    LeaseOpened(account_id=ACCOUNT, owner=OWNER, amount_nano=5_000_000_000, valid_ms=10_000, occurred_us=AT),
    LeaseToppedUp(amount_nano=5_000_000_000),
    LeaseGaveBack(amount_nano=7),
    LeaseShareRaised(bucket=BudgetBucket(_id(6), AT), amount_nano=2_000_000_000),
    LeaseShareReturned(bucket=BudgetBucket(_id(6), AT), amount_nano=7),
    RequestAdmitted(
        request_id=REQUEST,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="acme/big",
        stream=True,
        hold_nano=123_456_789,
        price_version=2,
        client_ref="my-request-1",
        occurred_us=AT,
    ),
    UsageCharged(
        request_id=REQUEST,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="acme/big",
        hold_nano=123_456_789,
        charge_nano=12_345_678,
        shortfall_nano=0,
        price_version=2,
        units=Units(input=900, cached_input=100, output=50, reasoning=20),
        usage_source="provider",
        usage_flags=("clamped",),
        usage_raw='{"prompt_tokens":1000,"completion_tokens":50,"total_tokens":1050}',
        result="completed",
        provider="acme-eu",
        deployment_id=_id(5),
        attempts=(FAILED, ANSWERED),
        first_byte_ms=310,
        total_ms=972,
        occurred_us=AT,
    ),
    ChargeHeldForReview(
        request_id=REQUEST,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="acme/big",
        provider="acme-eu",
        hold_nano=123_456_789,
        charge_nano=123_456_789,
        reasons=("absurd", "clamped"),
        occurred_us=AT,
    ),
    RequestReleased(
        request_id=REQUEST,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="acme/big",
        hold_nano=123_456_789,
        code="upstream_timeout",
        attempts=(FAILED,),
        total_ms=41,
        occurred_us=AT,
    ),
    RequestAbandoned(request_id=_id(0x14), account_id=ACCOUNT, hold_nano=123_456_789, occurred_us=AT),
    LeaseClosed(charged_nano=4_999_999_993, charges=12, occurred_us=AT),
    LeaseFenced(by=OTHER, reason="silent", charged_nano=1, charges=1, occurred_us=AT),
    IdempotencyKeyClaimed(
        account_id=ACCOUNT,
        key_sha256="1f2c5b1e0a7f7f0a9b7e9c3d5b8a6e4f2d1c0b9a8f7e6d5c4b3a29181706f5e4",
        body_sha256="9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de",
        request_id=REQUEST,
        occurred_us=AT,
    ),
    IdempotencyOutcomeRecorded(request_id=REQUEST, outcome="charged", charge_nano=12_345_678, occurred_us=AT),
)
REGISTRY = TopicRegistry(*LEDGER_EVENTS, *IDEMPOTENCY_EVENTS)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.TOPIC)
def test_a_fact_is_stored_as_its_sample_byte_for_byte(fact: Event) -> None:
    """Swapped, renamed or retyped fields of equal shape would read back, and mean something else."""
    stored = (SAMPLES / f"{fact.TOPIC}.json").read_bytes().rstrip(b"\n")
    assert encode(fact) == stored
    assert REGISTRY.decode(fact.TOPIC, stored) == fact


def test_every_topic_of_the_ledger_is_said_here() -> None:
    """A new fact needs its sample and its meaning."""
    assert [fact.TOPIC for fact in FACTS] == [event.TOPIC for event in (*LEDGER_EVENTS, *IDEMPOTENCY_EVENTS)]


def test_a_fact_cannot_be_changed() -> None:
    """What is stored is true for ever."""
    for fact in FACTS:
        with pytest.raises(AttributeError):
            fact.occurred_us = 0  # type: ignore[attr-defined]  # it must not work


def test_what_is_absent_is_not_stored() -> None:
    """Values inside facts leave out what is zero or unknown, so that a log of charges stays small."""
    assert b"upstream_request_id" not in encode(FACTS[20])
    assert b"cache_write" not in encode(FACTS[19])
