"""One key, one body, one outcome."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from uuid import UUID

import msgspec
import pytest

from domain.ledger import idempotency as rules
from domain.ledger.idempotency import (
    IdempotencyEvent,
    IdempotencyInProgress,
    IdempotencyKey,
    IdempotencyKeyClaimed,
    IdempotencyKeyReused,
    IdempotencyOutcomeRecorded,
    Outcome,
    OutcomeAlreadyRecorded,
    Replay,
    claim,
    digest,
    key_stream,
    record_outcome,
)
from domain.ledger.refusals import AmountOutOfRange, UnknownRequest
from tests.domain.ledger.facts import ACCOUNT, FIRST, NOW, SECOND, lot
from tests.spec import Spec

THEIR_KEY, BODY, OTHER_BODY = digest(b"key-1"), digest(b'{"model":"big"}'), digest(b"{}")
SPEC: Spec[IdempotencyKey] = Spec(
    lambda key, event: rules.evolve(deepcopy(key), event), initial=IdempotencyKey()
)
CLAIMED = IdempotencyKeyClaimed(
    account_id=ACCOUNT, key_sha256=THEIR_KEY, body_sha256=BODY, request_id=FIRST, occurred_us=NOW
)


def recorded(outcome: Outcome = "charged", charge_nano: int = 7) -> IdempotencyOutcomeRecorded:
    return IdempotencyOutcomeRecorded(
        request_id=FIRST, outcome=outcome, charge_nano=charge_nano, occurred_us=NOW
    )


def claim_for(
    request_id: UUID, body_sha256: str = BODY
) -> Callable[[IdempotencyKey], list[IdempotencyEvent] | Replay]:
    return lambda key: claim(
        key,
        account_id=ACCOUNT,
        key_sha256=THEIR_KEY,
        body_sha256=body_sha256,
        request_id=request_id,
        now_us=NOW,
    )


def claim_events(
    request_id: UUID, body_sha256: str = BODY
) -> Callable[[IdempotencyKey], Sequence[IdempotencyEvent]]:
    def decide(key: IdempotencyKey) -> Sequence[IdempotencyEvent]:
        decided = claim_for(request_id, body_sha256)(key)
        assert not isinstance(decided, Replay)
        return decided

    return decide


def record(
    outcome: Outcome = "charged", charge_nano: int = 7, request_id: UUID = FIRST
) -> Callable[[IdempotencyKey], list[IdempotencyEvent]]:
    return lambda key: record_outcome(
        key, request_id=request_id, outcome=outcome, charge_nano=charge_nano, now_us=NOW
    )


def test_the_first_request_claims_the_key() -> None:
    """The fact knows key and body by their hashes only."""
    SPEC.given().when(claim_events(FIRST)).then(CLAIMED)


def test_a_second_request_waits_for_the_first() -> None:
    """While the first has no outcome, nothing can be said and nothing may be served."""
    SPEC.given(CLAIMED).when(claim_events(SECOND)).then_refused(IdempotencyInProgress)


def test_a_request_that_claimed_has_nothing_left_to_claim() -> None:
    """Whoever lost the reply to its own claim may ask again."""
    SPEC.given(CLAIMED).when(claim_events(FIRST)).then_nothing()


@pytest.mark.parametrize("history", [(CLAIMED,), (CLAIMED, recorded())], ids=["pending", "recorded"])
@pytest.mark.parametrize("request_id", [FIRST, SECOND])
def test_another_body_is_refused(history: tuple[IdempotencyEvent, ...], request_id: UUID) -> None:
    """The client reused a key by mistake: told so before and after the first one's end."""
    SPEC.given(*history).when(claim_events(request_id, OTHER_BODY)).then_refused(IdempotencyKeyReused)


@pytest.mark.parametrize("charge_nano", [7, 0])
def test_a_charge_is_told_again(charge_nano: int) -> None:
    """The same body gets what the first request got, whoever asks; also if that cost nothing."""
    key = SPEC.fold(CLAIMED, recorded("charged", charge_nano))
    assert claim_for(FIRST)(key) == claim_for(SECOND)(key) == Replay(FIRST, "charged", charge_nano)


@pytest.mark.parametrize("outcome", ["released", "abandoned"])
def test_what_was_not_paid_may_be_tried_again(outcome: Outcome) -> None:
    """A failure is no answer: the key is free for the same body, and then taken again."""
    again = msgspec.structs.replace(CLAIMED, request_id=SECOND)
    SPEC.given(CLAIMED, recorded(outcome, 0)).when(claim_events(SECOND)).then(again)
    SPEC.given(CLAIMED, recorded(outcome, 0), again).when(claim_events(FIRST)).then_refused(
        IdempotencyInProgress
    )
    SPEC.given(CLAIMED, recorded(outcome, 0), again).when(record()).then_refused(UnknownRequest)


def test_a_claim_names_the_lease_that_holds_its_credit() -> None:
    """Its end is how others know that nothing will be charged any more."""
    lease_id = UUID(int=77)
    (claimed,) = claim_with_lease(lease_id)
    assert claimed == msgspec.structs.replace(CLAIMED, lease_id=lease_id)
    assert SPEC.fold(claimed).lease_id == lease_id
    assert SPEC.fold(CLAIMED).lease_id is None


def claim_with_lease(lease_id: UUID) -> Sequence[IdempotencyEvent]:
    decided = claim(
        IdempotencyKey(),
        account_id=ACCOUNT,
        key_sha256=THEIR_KEY,
        body_sha256=BODY,
        request_id=FIRST,
        now_us=NOW,
        lease_id=lease_id,
    )
    assert not isinstance(decided, Replay)
    return decided


def test_an_outcome_is_recorded_once() -> None:
    """The same again is nothing; another one is refused."""
    SPEC.given(CLAIMED).when(record()).then(recorded())
    SPEC.given(CLAIMED, recorded()).when(record()).then_nothing()
    SPEC.given(CLAIMED, recorded()).when(record(charge_nano=8)).then_refused(OutcomeAlreadyRecorded)
    SPEC.given(CLAIMED, recorded()).when(record("released", 0)).then_refused(OutcomeAlreadyRecorded)


@pytest.mark.parametrize(
    "history", [(), (CLAIMED,), (CLAIMED, recorded())], ids=["new", "pending", "recorded"]
)
def test_only_the_request_that_claimed_has_an_outcome(history: tuple[IdempotencyEvent, ...]) -> None:
    """Else a second request could be charged under the first one's key."""
    SPEC.given(*history).when(record(request_id=SECOND)).then_refused(UnknownRequest)


@pytest.mark.parametrize(
    ("outcome", "charge_nano"), [("charged", -1), ("released", 1), ("abandoned", 1), ("released", -1)]
)
def test_only_an_answer_costs(outcome: Outcome, charge_nano: int) -> None:
    """A charge is not negative, and a request without an answer has none."""
    SPEC.given(CLAIMED).when(record(outcome, charge_nano)).then_refused(AmountOutOfRange)


def test_a_free_answer_is_an_answer() -> None:
    """A charge of nothing is an outcome like any other."""
    SPEC.given(CLAIMED).when(record("charged", 0)).then(recorded("charged", 0))


def test_keys_of_two_accounts_do_not_meet() -> None:
    """The stream belongs to the account and the key; the key itself stands nowhere."""
    other = UUID(int=2)
    streams = {key_stream(account, digest(key)) for account in (ACCOUNT, other) for key in (b"a", b"b")}
    assert len(streams) == 4
    assert digest(b"a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_every_fact_is_one_version() -> None:
    """Version 1 is the claim: whoever stores it serves the request."""
    assert [SPEC.fold(*history).version for history in ((), (CLAIMED,), (CLAIMED, recorded()))] == [0, 1, 2]


def test_a_fact_of_another_kind_of_stream_is_not_folded() -> None:
    """It is a mistake of ours, not a fact to count a version for."""
    with pytest.raises(AssertionError):
        rules.evolve(IdempotencyKey(), lot(100))  # type: ignore[arg-type]  # the mistake
