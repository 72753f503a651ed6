"""Figures, money, times and languages as pages write and read them."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.datastructures import FormMultiDict

from api.admin.codes import BadRequest
from api.console.access import local_path
from api.console.charts import chart, span_of
from api.console.form_rows import share_ppm
from api.console.formats import Formats
from api.console.forms import amount_nano, body_of, time_us
from api.console.languages import choose
from application.catalogue.publish_prices import PublishPrices
from application.catalogue.set_route import SetRoute
from application.keys.issue_key import IssueKey
from application.reports.usage import GroupValues

UTC, TOKYO = ZoneInfo("UTC"), ZoneInfo("Asia/Tokyo")
NOON_US = 1_764_417_600_000_000  # 2025-11-29T12:00:00Z


def test_money_is_exact() -> None:
    """At least two decimals, all nine if they are there, and grouped as people do."""
    fmt = Formats("en", UTC)
    assert fmt.money(1_234_500_000_000) == "1,234.50"
    assert fmt.money(1) == "0.000000001"
    assert fmt.money(-(10**9)) == "-1.00"
    assert fmt.money_short(123_456_789) == "0.1235"
    assert fmt.money_short(47_000) == "0.000047"
    assert fmt.money_short(-50_000) == "-0.00005"
    assert (fmt.money_short(50_001), fmt.money_short(0)) == ("0.0001", "0.00")
    assert fmt.rate(500_000_000, 1_200_000) == "0.60"


@given(st.integers(-(10**18), 10**18))
def test_money_reads_back_as_it_was_written(amount: int) -> None:
    """Whatever the amount, nothing is lost on a page."""
    assert amount_nano(Formats("en", UTC).money(amount)) == amount


@given(st.integers(0, 100_000_000))
def test_a_share_reads_back_as_it_was_written(ppm: int) -> None:
    """A hundred percent too: a form that is sent as it came changes no price and no tax."""
    fmt = Formats("en", UTC)
    assert share_ppm(fmt.plain_percent(ppm), "markup") == ppm
    assert (fmt.plain_percent(1_000_000), fmt.plain_percent(190_000)) == ("100", "19")


@pytest.mark.parametrize("text", ["", "x", "1e5000", "0.0000000001", "--1", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """And what is finer than a nano-credit."""
    with pytest.raises(BadRequest):
        amount_nano(text)


def test_times_are_those_of_the_reader() -> None:
    """On the page and from a field, by the zone."""
    assert "9:00:00" in Formats("en", TOKYO).time(NOON_US)
    assert Formats("ja", TOKYO).date(NOON_US) == "2025/11/29"
    assert Formats("zh", UTC).date(NOON_US) == "2025年11月29日"
    assert time_us("2025-11-29T21:00", zone=TOKYO, field="expires") == NOON_US
    with pytest.raises(BadRequest):
        time_us("soon", zone=UTC, field="expires")


def test_days_and_months_are_written_as_people_of_the_language_write_them() -> None:
    """Of no zone: as documents and statements have them."""
    assert [Formats(one, UTC).day("2026-11-30") for one in ("en", "zh", "ja", "ko")] == [
        "Nov 30, 2026",
        "2026年11月30日",
        "2026/11/30",
        "2026. 11. 30.",
    ]
    assert [Formats(one, UTC).month("2026-11") for one in ("en", "ja", "ko")] == [
        "November 2026",
        "2026年11月",
        "2026년 11월",
    ]


def test_durations_have_a_unit_that_fits() -> None:
    """Milliseconds, seconds, minutes; a dash for what is not known."""
    fmt = Formats("en", UTC)
    assert [fmt.duration(one) for one in (None, 12, 1_500, 180_000)] == ["\u2013", "12 ms", "1.5 s", "3 min"]


@pytest.mark.parametrize(
    ("chosen", "accept", "language"),
    [
        ("ko", "ja", "ko"),
        (None, "de, ja;q=0.5, zh-CN;q=0.9", "zh"),
        ("xx", "fr", "en"),
        (None, "", "en"),
        (None, "ja;q=x," * 50, "en"),
    ],
)
def test_a_language_is_chosen(chosen: str | None, accept: str, language: str) -> None:
    """By the person, then by the browser's order, else English."""
    assert choose(chosen, accept) == language


@given(st.text(max_size=30))
def test_a_place_to_go_is_always_ours(target: str) -> None:
    """Whatever somebody writes there."""
    path = local_path(target, default="/home")
    assert path == "/home" or (path.startswith("/") and path[1:2] not in {"/", "\\"})


def test_a_form_is_the_body_that_it_means() -> None:
    """Empty fields are left out; lists are split; numbers are numbers."""
    form = FormMultiDict(
        [("account_id", "00000000-0000-0000-0000-00000000000a"), ("name", " CI "), ("rpm", "60")]
    )
    form = FormMultiDict(
        [*form.multi_items(), ("tpm", ""), ("models", "a, b"), ("expires", "2025-11-29T12:00")]
    )
    assert body_of(IssueKey, form, zone=UTC) == {
        "account_id": "00000000-0000-0000-0000-00000000000a",
        "name": "CI",
        "rpm": 60,
        "models": ("a", "b"),
        "expires_us": NOON_US,
    }
    with pytest.raises(BadRequest, match="rpm"):
        body_of(IssueKey, FormMultiDict([("rpm", "many")]), zone=UTC)


def test_routes_and_prices_are_put_together() -> None:
    """Rows in their order, empty ones none; cache prices are the input's unless they are said."""
    form = FormMultiDict(
        [("alias", "fast"), ("target.0", "A"), ("weight.0", "3"), ("target.2", "B"), ("target.1", "")]
    )
    body = body_of(SetRoute, form, zone=UTC)
    assert body["targets"] == [{"deployment_id": "A", "weight": 3}, {"deployment_id": "B", "weight": 0}]
    form = FormMultiDict([("alias", "fast"), ("price.input", "1"), ("price.output", "2"), ("note", "n")])
    entries = body_of(PublishPrices, form, zone=UTC)["entries"]
    assert entries == {
        "fast": {"input": "1", "cached_input": "1", "cache_write": "1", "output": "2", "request": "0"}
    }


@pytest.mark.parametrize(
    ("name", "steps"), [("day", 24), ("week", 7), ("month", 30), ("quarter", 90), ("x", 24)]
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
def test_a_chart_has_a_value_for_every_step(name: str, steps: int, zone: str) -> None:
    """Hours or days of the reader's zone, over changes of the clock too, up to now."""
    for now_us in (NOON_US, 1_762_063_200_000_000):
        span = span_of(name, zone=zone, now_us=now_us)
        drawn = chart(span, [])
        assert len(drawn.times) == steps
        assert drawn.is_empty
        assert span.period.from_us < now_us < span.period.until_us


def test_a_chart_finds_its_rows() -> None:
    """By the name of the hour."""

    class Row:
        group = GroupValues(hour="2025-11-29T12:00")
        requests, released, abandoned, charge_nano = 5, 1, 1, 2_000_000_000

    drawn = chart(span_of("day", zone="UTC", now_us=NOON_US), [Row()])
    assert (drawn.requests[-1], drawn.failed[-1], drawn.credits[-1]) == (5, 2, 2.0)
