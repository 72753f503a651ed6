"""The read model `lot_ends`: which wallets the scheduler should look at."""

from uuid import UUID

import msgspec
import pytest

from domain.ledger.events import CreditLotExpired, CreditLotGranted, CreditLotVoided
from projections.lot_ends import EndingLots, LotEnds
from projections.projection import Pool
from tests.histories import numbered
from tests.projections.facts import ACCOUNT, OTHER, WALLET, granted
from tests.projections.lab import Lab


def ending(lot: int, expires_us: int, account_id: UUID = ACCOUNT) -> CreditLotGranted:
    return msgspec.structs.replace(granted(10, lot), expires_us=expires_us, account_id=account_id)


def taken_back(lot: int) -> CreditLotVoided:
    return CreditLotVoided(
        account_id=ACCOUNT,
        lot_id=UUID(int=lot),
        source="paid",
        amount_nano=10,
        adjustment_id=UUID(int=50),
        reason="test",
        requested_by="operator:1",
        occurred_us=20,
    )


def ended(lot: int) -> CreditLotExpired:
    return CreditLotExpired(account_id=ACCOUNT, lot_id=UUID(int=lot), amount_nano=10, occurred_us=20)


@pytest.fixture
def ends(whole: Lab) -> EndingLots:
    return EndingLots(whole.pool)


def test_accounts_are_due_from_the_end_of_a_lot_until_it_is_stored(whole: Lab, ends: EndingLots) -> None:
    """Once for each account, those first that have waited longest; a lot without an end never is, nor one taken back."""
    others = numbered(UUID(int=77), 1, [ending(4, 15, OTHER)])
    whole.log.extend([*numbered(WALLET, 1, [granted(5, 1), ending(2, 20), ending(3, 21)]), *others])
    whole.catch_up()
    assert ends.accounts_due(now_us=14, limit=10) == []
    assert ends.accounts_due(now_us=15, limit=10) == [OTHER]
    assert ends.accounts_due(now_us=21, limit=10) == [OTHER, ACCOUNT]
    assert ends.accounts_due(now_us=21, limit=1) == [OTHER]
    whole.log.extend(numbered(WALLET, 4, [ended(2), taken_back(3)]))
    whole.catch_up()
    assert ends.accounts_due(now_us=21, limit=10) == [OTHER]


def test_before_the_read_model_is_made_nothing_is_due(pool: Pool) -> None:
    """A scheduler may be there before the first worker of its version."""
    assert EndingLots(pool).accounts_due(now_us=2**62, limit=10) == []


@pytest.mark.parametrize("batch_events", [1, 2, 100])
def test_a_rebuild_is_equal(whole: Lab, batch_events: int) -> None:
    """In whatever batches the lots were granted and ended, and if it comes twice."""
    whole.log.extend(numbered(WALLET, 1, [ending(2, 20), ending(3, 21), ended(2), ending(4, 22)]))
    whole.catch_up(batch_events=batch_events)
    before = whole.hashes()[LotEnds.name]
    whole.rewind(0)
    whole.catch_up(batch_events=batch_events)
    assert whole.hashes()[LotEnds.name] == before
    assert whole.rebuild(LotEnds.name) == before
