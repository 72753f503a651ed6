"""Snapshots are caches: the same wallet comes back, or nothing does."""

from uuid import UUID

import msgspec
import pytest

from domain.ledger import snapshot
from domain.ledger.claim_events import CreditFrozen, FrozenCreditTaken, ReceivableWrittenOff
from domain.ledger.snapshot import decode_snapshot, encode_snapshot, mark_of
from domain.ledger.wallet import Wallet
from tests.domain.ledger.facts import (
    ACCOUNT,
    LEASE,
    NEW,
    NOW,
    OLD,
    OTHER_LEASE,
    WALLET_SPEC,
    granted,
    lot,
    lot_expired,
    lot_voided,
    reduced,
)

NEWEST_FIRST = (UUID(int=9), UUID(int=5), UUID(int=7))


def _frozen(claim_id: UUID) -> CreditFrozen:
    return CreditFrozen(
        account_id=ACCOUNT,
        lot_id=NEWEST_FIRST[1],
        claim_id=claim_id,
        cause="refund",
        wanted_nano=1,
        amount_nano=1,
        occurred_us=NOW,
    )


FACTS = (
    *(lot(100, lot_id) for lot_id in NEWEST_FIRST),
    granted((NEWEST_FIRST[0], 100), (NEWEST_FIRST[1], 20)),
    reduced((NEWEST_FIRST[1], 20), (NEWEST_FIRST[0], 1)),
    granted((NEWEST_FIRST[2], 2), lease_id=OTHER_LEASE),
    lot(5, UUID(int=4), expires_us=NOW + 1),
    lot(6, UUID(int=3), expires_us=NOW + 2, aliases=("big",)),
    lot_expired(5, UUID(int=4), at_us=NOW + 1),
    lot(8, UUID(int=2)),
    lot_voided(8, UUID(int=2)),
    _frozen(UUID(int=6)),
    _frozen(UUID(int=8)),
    FrozenCreditTaken(
        account_id=ACCOUNT,
        lot_id=NEWEST_FIRST[1],
        claim_id=UUID(int=8),
        source="paid",
        wanted_nano=20,
        amount_nano=1,
        owed_nano=19,
        occurred_us=NOW,
    ),
    ReceivableWrittenOff(
        account_id=ACCOUNT,
        adjustment_id=UUID(int=50),
        amount_nano=18,
        reason="x",
        requested_by="operator:1",
        occurred_us=NOW,
    ),
)
MARK = mark_of(b"the last event")


def restore(data: bytes) -> Wallet | None:
    found = decode_snapshot(data)
    assert found is None or found.mark == MARK
    return None if found is None else found.wallet


@pytest.mark.parametrize("count", range(len(FACTS) + 1))
def test_a_wallet_comes_back_as_it_was(count: int) -> None:
    """P09, at every version: equal in every field, lots in the order in which they are lent."""
    wallet = WALLET_SPEC.fold(*FACTS[:count])
    restored = restore(encode_snapshot(wallet, mark=MARK))
    assert restored == wallet
    assert restored is not None
    assert list(restored.lots) == list(wallet.lots)


def test_every_field_of_a_wallet_is_kept() -> None:
    """A field that a snapshot forgot would come back as its default."""
    wallet = WALLET_SPEC.fold(*FACTS)
    wallet.charged_nano = 7
    restored = restore(encode_snapshot(wallet, mark=MARK))
    defaults = Wallet()
    for field in msgspec.structs.fields(Wallet):
        assert getattr(wallet, field.name) != getattr(defaults, field.name)
        assert getattr(restored, field.name) == getattr(wallet, field.name)


def test_a_restored_wallet_is_folded_on() -> None:
    """It shares nothing with the bytes or with the wallet it was made from."""
    wallet = WALLET_SPEC.fold(*FACTS)
    restored = restore(encode_snapshot(wallet, mark=MARK))
    assert restored is not None
    restored.lots[OLD] = 1
    restored.leases[LEASE].slices.clear()
    assert wallet == WALLET_SPEC.fold(*FACTS)
    assert OLD not in wallet.lots
    assert NEW not in wallet.lots


def test_the_same_wallet_has_the_same_bytes() -> None:
    """So snapshots can be compared."""
    assert encode_snapshot(WALLET_SPEC.fold(*FACTS), mark=MARK) == encode_snapshot(
        WALLET_SPEC.fold(*FACTS), mark=MARK
    )


def test_any_damaged_bit_makes_a_snapshot_useless() -> None:
    """A wrong balance must not come out of a cache; the events are folded instead."""
    stored = encode_snapshot(WALLET_SPEC.fold(lot(100)), mark=MARK)
    for index in range(len(stored)):
        for bit in range(8):
            damaged = bytearray(stored)
            damaged[index] ^= 1 << bit
            assert restore(bytes(damaged)) is None


@pytest.mark.parametrize("data", [b"", b"short", bytes(16), bytes(64)])
def test_what_is_no_snapshot_is_ignored(data: bytes) -> None:
    """An empty or cut column is not an error."""
    assert restore(data) is None


def test_a_snapshot_of_another_format_is_ignored() -> None:
    """After a change of the fold, older snapshots are folded anew from the events."""
    wallet = WALLET_SPEC.fold(lot(100))
    for offset in (-1, 1):
        content = msgspec.msgpack.encode([snapshot.FORMAT + offset, MARK, wallet])
        assert restore(mark_of(content) + content) is None
    content = msgspec.msgpack.encode([snapshot.FORMAT, MARK, wallet])
    assert restore(mark_of(content) + content) == wallet


def test_whole_bytes_of_another_shape_are_ignored() -> None:
    """A snapshot whose digest is right but which another version wrote in another shape is not an error."""
    content = msgspec.msgpack.encode([snapshot.FORMAT, MARK, "not a wallet"])
    assert restore(mark_of(content) + content) is None
