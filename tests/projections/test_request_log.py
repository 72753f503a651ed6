"""The read model `request_log` and its questions."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest

from application.queries import AttemptRow, RequestFilter, RequestRow
from domain.event import Event
from domain.ledger.events import Attempt, PassedOver, Units
from projections.charge_reviews import ChargeReviews
from projections.generations import install
from projections.request_log import RequestReader
from tests.histories import history, numbered
from tests.projections.facts import (
    ACCOUNT,
    DEPLOYMENT,
    FIRST,
    KEY,
    LEASE,
    SECOND,
    THIRD,
    abandoned,
    admitted,
    charged,
    released,
)
from tests.projections.lab import Lab

ATTEMPTS = (
    Attempt(
        deployment_id=KEY, provider="one", model="m1", status=429, outcome="rate", started_us=6, duration_ms=7
    ),
    Attempt(
        deployment_id=DEPLOYMENT,
        provider="two",
        model="m2",
        status=200,
        outcome="ok",
        started_us=8,
        duration_ms=9,
        upstream_request_id="up-1",
        credential_id=LEASE,
        first_byte_ms=3,
    ),
)
PASSED = PassedOver(deployment_id=KEY, provider="three", reason="breaker_open")


@pytest.fixture
def reader(lab: Lab) -> RequestReader:
    """It looks up as well whether a charge is held for review."""
    with lab.pool.connection() as connection:
        install(connection, (ChargeReviews(),))
    return RequestReader(lab.pool)


def project(lab: Lab, *events: Event) -> None:
    lab.log.extend(numbered(LEASE, 2 + len(lab.log.events), events))
    lab.catch_up(batch_events=1)


def row(reader: RequestReader, request_id: UUID) -> RequestRow:
    found = reader.request(request_id)
    assert found
    return found.request


def test_an_admitted_request_is_shown_at_once(lab: Lab, reader: RequestReader) -> None:
    """Before its end it has a row with what is known, and no more."""
    project(lab, msgspec.structs.replace(admitted(FIRST, 30), client_ref="mine"))
    assert row(reader, FIRST) == RequestRow(
        request_id=FIRST,
        account_id=ACCOUNT,
        lease_id=LEASE,
        key_id=KEY,
        alias="demo",
        stream=True,
        client_ref="mine",
        price_version=None,
        hold_nano=30,
        state="admitted",
        charge_nano=0,
        shortfall_nano=0,
        input_tokens=None,
        cached_input_tokens=None,
        cache_write_tokens=None,
        output_tokens=None,
        reasoning_tokens=None,
        usage_source=None,
        usage_flags=(),
        result=None,
        code=None,
        provider=None,
        deployment_id=None,
        attempts=0,
        first_byte_ms=None,
        total_ms=None,
        admitted_us=5,
        ended_us=None,
        first_position=1,
        last_position=1,
    )


def test_a_charged_request_shows_usage_cost_and_attempts(lab: Lab, reader: RequestReader) -> None:
    """One row for the request with everything the charge says, one for each attempt, in order."""
    charge = msgspec.structs.replace(
        charged(FIRST, 30, 12),
        shortfall_nano=2,
        price_version=4,
        units=Units(
            input=1,
            cached_input=2,
            cache_write=3,
            output=4,
            reasoning=5,
            images=6,
            audio_ms=7,
            characters=8,
            searches=9,
        ),
        usage_flags=("clamped", "late"),
        attempts=ATTEMPTS,
        operation="messages",
        factor_ppm=2_000_000,
        passed_over=(PASSED,),
    )
    project(lab, admitted(FIRST, 30), charge)
    found = reader.request(FIRST)
    assert found
    request = found.request
    assert (request.operation, request.factor_ppm, request.passed_over) == ("messages", 2_000_000, (PASSED,))
    assert (request.images, request.audio_ms, request.characters, request.searches) == (6, 7, 8, 9)
    assert (request.state, request.charge_nano, request.shortfall_nano) == ("charged", 12, 2)
    assert (request.admitted_us, request.ended_us, request.first_byte_ms, request.total_ms) == (5, 9, 1, 2)
    assert (request.input_tokens, request.cached_input_tokens, request.cache_write_tokens) == (1, 2, 3)
    assert (request.output_tokens, request.reasoning_tokens, request.price_version) == (4, 5, 4)
    assert (request.usage_source, request.usage_flags) == ("provider", ("clamped", "late"))
    assert (request.result, request.code, request.provider) == ("completed", None, "sandbox")
    assert (request.stream, request.attempts, request.deployment_id) == (True, 2, DEPLOYMENT)
    assert found.attempts == tuple(
        AttemptRow(
            request_id=FIRST,
            position=request.last_position,
            number=number,
            **{field: getattr(attempt, field) for field in Attempt.__struct_fields__ if field != "cost_nano"},
        )
        for number, attempt in enumerate(ATTEMPTS, start=1)
    )


def test_released_and_abandoned_requests_say_why(lab: Lab, reader: RequestReader) -> None:
    """A release keeps the code that the client was told and the attempts; both cost nothing."""
    project(lab, admitted(FIRST, 30), msgspec.structs.replace(released(FIRST, 30), attempts=ATTEMPTS[:1]))
    project(lab, admitted(SECOND, 30), abandoned(SECOND, 30))
    first, second = row(reader, FIRST), row(reader, SECOND)
    assert (first.state, first.code, first.total_ms, first.charge_nano, first.attempts) == (
        "released",
        "timeout",
        3,
        0,
        1,
    )
    assert (second.state, second.code, second.ended_us, second.charge_nano) == ("abandoned", None, 9, 0)


def test_an_end_without_an_admission_is_not_hidden(lab: Lab, reader: RequestReader) -> None:
    """A charge that P28 forbids gets a row, marked by its empty time of admission."""
    project(lab, charged(FIRST, 30, 12))
    found = row(reader, FIRST)
    assert (found.state, found.admitted_us, found.account_id, found.alias) == (
        "charged",
        None,
        ACCOUNT,
        "demo",
    )


def test_text_that_postgres_refuses_cannot_stop_it(lab: Lab, reader: RequestReader) -> None:
    """NUL, control characters and very long references are taken, and found again by what the client sent."""
    long = "x\x00" * 5_000
    project(lab, msgspec.structs.replace(admitted(FIRST, 1), alias="a\x00b", client_ref=long))
    assert row(reader, FIRST).alias == "a�b"
    page = reader.requests(RequestFilter(client_ref=long))
    assert [request.request_id for request in page.requests] == [FIRST]
    assert not reader.requests(RequestFilter(client_ref=long[:-2])).requests


def _ids(rows: Sequence[RequestRow]) -> list[UUID]:
    return [request.request_id for request in rows]


def test_filters_narrow_the_list(lab: Lab, reader: RequestReader) -> None:
    """By account, key, state, alias, the client's reference, and time of admission; newest first."""
    project(
        lab,
        msgspec.structs.replace(admitted(FIRST, 1, occurred_us=100), client_ref="mine"),
        msgspec.structs.replace(admitted(SECOND, 1, occurred_us=200), alias="other"),
        msgspec.structs.replace(admitted(THIRD, 1, occurred_us=300), account_id=KEY, key_id=ACCOUNT),
        released(FIRST, 1),
    )
    wanted = {
        RequestFilter(): [THIRD, SECOND, FIRST],
        RequestFilter(account_id=ACCOUNT): [SECOND, FIRST],
        RequestFilter(key_id=ACCOUNT): [THIRD],
        RequestFilter(state="admitted"): [THIRD, SECOND],
        RequestFilter(state="admitted", account_id=ACCOUNT): [SECOND],
        RequestFilter(alias="other"): [SECOND],
        RequestFilter(client_ref="mine"): [FIRST],
        RequestFilter(client_ref="not mine"): [],
        RequestFilter(admitted_from_us=200): [THIRD, SECOND],
        RequestFilter(admitted_until_us=200): [FIRST],
        RequestFilter(admitted_from_us=200, admitted_until_us=300): [SECOND],
    }
    for asked, expected in wanted.items():
        assert _ids(reader.requests(asked).requests) == expected, asked


def test_pages_give_every_request_once_while_new_ones_come(lab: Lab, reader: RequestReader) -> None:
    """Going on before the last position of a page neither skips nor repeats, whatever is added in front."""
    lab.start_over(history(5, steps=300))
    lab.catch_up()
    everything = _ids(reader.requests(RequestFilter(), limit=500).requests)
    assert len(everything) > 50
    seen: list[UUID] = []
    before = None
    while True:
        page = reader.requests(RequestFilter(), before_position=before, limit=7)
        seen += _ids(page.requests)
        if page.next_before is None:
            break
        before = page.next_before
        project(lab, admitted(UUID(int=10_000 + len(seen)), 1))
    assert seen == everything


def test_a_full_last_page_has_no_next(lab: Lab, reader: RequestReader) -> None:
    """The end is known without an empty page; a limit of nonsense is put right."""
    project(lab, admitted(FIRST, 1), admitted(SECOND, 1))
    assert reader.requests(RequestFilter(), limit=2).next_before is None
    assert reader.requests(RequestFilter(), limit=1).next_before == 4
    assert len(reader.requests(RequestFilter(), limit=0).requests) == 1
    assert len(reader.requests(RequestFilter(), limit=10**9).requests) == 2


def test_an_unknown_request_is_not_there(reader: RequestReader) -> None:
    """Nothing is invented."""
    assert reader.request(FIRST) is None


def test_the_requests_of_a_key_are_found_without_the_others_of_its_account(lab: Lab) -> None:
    """However many its account has; a key's page shows the newest of them."""
    statement = "SELECT 1 FROM request_log WHERE account_id = %s AND key_id = %s ORDER BY first_position DESC LIMIT 51"
    fill = """
        INSERT INTO rm_request_log_1.request_log
            (request_id, account_id, lease_id, hold_nano, key_id, state, first_position, last_position)
        SELECT gen_random_uuid(), %s, %s, 1, CASE WHEN n %% 1000 = 0 THEN %s::uuid ELSE %s END, 'charged', n, n
        FROM generate_series(1, 20000) n
    """
    with lab.pool.connection() as connection:
        connection.execute(fill, [ACCOUNT, LEASE, KEY, FIRST])
        connection.execute("ANALYZE rm_request_log_1.request_log")
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}", [ACCOUNT, KEY]))
    assert "key_id_first_position_idx" in plan, plan
