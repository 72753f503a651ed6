"""Receipts of made-up requests, signed and sealed, as files."""

from collections.abc import Callable
from typing import Any

import msgspec

from adapters.sealing.ed25519 import Ed25519Signer
from application.eventlog import RecordedEvent
from domain.event import encode
from domain.ledger.events import Attempt, RequestAbandoned, RequestReleased, Units, UsageCharged
from domain.ledger.postings import load_rules
from domain.pricing import Price, PriceInForce, charge_nano
from domain.receipts.receipt import Ended, Receipt, receipt_of
from domain.sealing.checkpoint import sign_checkpoint
from domain.sealing.leaf import leaf
from domain.sealing.notes import receipts_name, sign_note
from domain.sealing.proof import Proof
from domain.sealing.tree import leaf_hash
from tests.domain.ledger.facts import ACCOUNT, DEPLOYMENT, FIRST, KEY, LEASE, NOW
from tests.domain.sealing import naive

LOG = Ed25519Signer("example.com/log", bytes(range(32)))
RECEIPTS = Ed25519Signer(receipts_name("example.com/log"), bytes(reversed(range(32))))
KEYS = (RECEIPTS.public, LOG.public)
PRICE = PriceInForce(
    version=4,
    effective_from_us=NOW - 5,
    markup_ppm=1_200_000,
    price=Price(
        input_nano_per_million=3_000_000_001,
        cached_input_nano_per_million=300_000_000,
        cache_write_nano_per_million=3_750_000_000,
        output_nano_per_million=15_000_000_000,
        request_nano_per_million=0,
    ),
)
UNITS = Units(input=900, cached_input=100, output=51, reasoning=20)
ATTEMPT = Attempt(
    deployment_id=DEPLOYMENT,
    provider="acme",
    model="big-1",
    status=200,
    outcome="ok",
    started_us=NOW,
    duration_ms=8,
    upstream_request_id="req_of_the_provider",
    credential_id=DEPLOYMENT,
)
HOLD_NANO = 10_000_000


def charged(*, units: Units = UNITS, price: PriceInForce = PRICE, hold_nano: int = HOLD_NANO) -> UsageCharged:
    cost_nano = charge_nano(units, price.price, price.markup_ppm)
    return UsageCharged(
        request_id=FIRST,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="big",
        hold_nano=hold_nano,
        charge_nano=min(cost_nano, hold_nano),
        shortfall_nano=max(0, cost_nano - hold_nano),
        price_version=price.version,
        units=units,
        usage_source="provider",
        result="completed",
        provider="acme",
        deployment_id=DEPLOYMENT,
        attempts=(ATTEMPT,),
        first_byte_ms=3,
        total_ms=9,
        occurred_us=NOW,
    )


RELEASED = RequestReleased(
    request_id=FIRST,
    account_id=ACCOUNT,
    key_id=KEY,
    alias="big",
    hold_nano=HOLD_NANO,
    code="upstream_timeout",
    attempts=(ATTEMPT,),
    total_ms=9,
    occurred_us=NOW,
)
ABANDONED = RequestAbandoned(request_id=FIRST, account_id=ACCOUNT, hold_nano=HOLD_NANO, occurred_us=NOW)


def stored(event: Ended) -> RecordedEvent:
    return RecordedEvent(7, LEASE, 3, event.TOPIC, encode(event), NOW + 1)


def receipt(event: Ended, *, price: PriceInForce = PRICE) -> Receipt:
    shown = price if isinstance(event, UsageCharged) else None
    return receipt_of(stored(event), event, price=shown, rules=load_rules())


def document(event: Ended, *, with_leaf: bool = True, is_sealed: bool = True) -> dict[str, Any]:
    """The file, as the API gives it out."""
    made = receipt(event)
    line = leaf(stored(event))
    leaves = [*naive.some_leaves(6), leaf_hash(line), *naive.some_leaves(3)]
    checkpoint = sign_checkpoint(size=len(leaves), root=naive.mth(leaves), signer=LOG)
    proof = Proof(6, tuple(naive.path(6, leaves)), checkpoint)
    found: dict[str, Any] = {
        "receipt": msgspec.to_builtins(made),
        "note": sign_note(made.line, RECEIPTS).decode(),
        "seal": "sealed" if is_sealed else "pending",
        "proof": proof.text.decode() if is_sealed else None,
    }
    return found | ({"leaf": line.decode()} if with_leaf else {})


def signed_again(found: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The file with a changed receipt that the operator has signed all the same."""
    receipt_line = msgspec.json.decode(msgspec.json.encode(found["receipt"]))
    change(receipt_line)
    note = sign_note(msgspec.json.encode(receipt_line) + b"\n", RECEIPTS)
    return found | {"receipt": receipt_line, "note": note.decode()}
