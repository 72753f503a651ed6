"""The read model `codes`: how many of a batch were redeemed, and by whom."""

from uuid import UUID

import pytest

from domain.event import Event
from domain.ids import stream_of
from domain.promotions.batch import batch_stream
from domain.promotions.events import CodeBatchIssued, CodeBatchWithdrawn, RedemptionCodeRedeemed
from projections.codes import CodeReader, Codes
from tests.histories import numbered
from tests.projections.facts import ACCOUNT, OTHER
from tests.projections.lab import Lab

FIRST, SECOND = UUID(int=71), UUID(int=72)


def issued(batch_id: UUID) -> CodeBatchIssued:
    return CodeBatchIssued(
        batch_id=batch_id,
        count=3,
        amount_nano=5,
        per_account=1,
        credit_days=30,
        note="nul\x00 in it",
        occurred_us=4,
        actor="operator:a",
    )


def redeemed(number: int, account_id: UUID = ACCOUNT) -> RedemptionCodeRedeemed:
    return RedemptionCodeRedeemed(
        batch_id=FIRST, account_id=account_id, lot_id=UUID(int=number), occurred_us=6, actor="member:b"
    )


def _happen(lab: Lab, *events: Event) -> None:
    versions: dict[UUID, int] = {}
    for event in events:
        if isinstance(event, RedemptionCodeRedeemed):
            stream_id, version = stream_of(event.lot_id, "code"), 1
        else:
            stream_id = batch_stream(event.batch_id)  # type: ignore[attr-defined]  # the others have one
            version = versions[stream_id] = versions.get(stream_id, 0) + 1
        lab.log.extend(numbered(stream_id, version, [event]))


STORY = (
    issued(FIRST),
    redeemed(1),
    issued(SECOND),
    redeemed(2, OTHER),
    CodeBatchWithdrawn(batch_id=SECOND, reason="leaked", occurred_us=8, actor="operator:a"),
)


@pytest.mark.parametrize("batch_events", [1, 100])
def test_batches_and_redemptions_are_listed(whole: Lab, batch_events: int) -> None:
    """Newest first, in one batch or in many; pages go on where the one before ended."""
    _happen(whole, *STORY)
    whole.catch_up(batch_events=batch_events)
    reader = CodeReader(whole.pool)
    page = reader.batches(limit=1)
    (second,), (first,) = page.items, reader.batches(before_position=page.next_before).items
    assert (second.batch_id, second.redeemed, second.withdrawn_because) == (SECOND, 0, "leaked")
    assert (first.batch_id, first.redeemed, first.withdrawn_because) == (FIRST, 2, None)
    assert (first.note, first.credit_days, first.issued_by) == ("nul\ufffd in it", 30, "operator:a")
    accounts = [one.account_id for one in reader.redemptions(batch_id=FIRST).items]
    assert accounts == [OTHER, ACCOUNT]
    (mine,) = reader.redemptions(account_id=ACCOUNT).items
    assert (mine.lot_id, mine.redeemed_by, mine.redeemed_us) == (UUID(int=1), "member:b", 6)
    assert reader.redemptions(batch_id=SECOND).items == ()
    rest = reader.redemptions(limit=1)
    assert [one.lot_id for one in reader.redemptions(before_position=rest.next_before).items] == [UUID(int=1)]


def test_a_rebuild_is_equal(whole: Lab) -> None:
    """However it came, and if it comes twice."""
    _happen(whole, *STORY)
    whole.catch_up(batch_events=2)
    before = whole.hashes()[Codes.name]
    assert before.rows == 4
    whole.rewind(0)
    whole.catch_up(batch_events=3)
    assert whole.hashes()[Codes.name] == before
    assert whole.rebuild(Codes.name) == before
