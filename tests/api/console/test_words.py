"""What the log, documents and browsers say, as people read it."""

from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from api.console.act_words import DONE, FIELDS, SILENT
from api.console.acts import act_reason
from api.console.agents import browser_of
from api.console.changes import SHOWN_MAX, changes_of
from api.console.field_words import FIELD_WORDS
from api.console.formats import DASH, Formats
from api.console.parked_words import parked_word
from api.console.texts import REFUSALS, SUBJECTS
from domain.recharge.reference import reference_of
from projections.audit_log import ACTS, LEFT_OUT, AuditReader

ACCOUNT = "5f2b64de-54a5-4c4e-a05c-3a9a6f7a6d01"
EN, ZH = Formats("en", ZoneInfo("UTC")), Formats("zh", ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox · Android"),
        ("a robot", "a robot"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_browser_is_called_as_people_call_it(agent: str, said: str) -> None:
    """Program and system; what nobody knows stands as it came."""
    assert browser_of(agent) == said


def test_days_months_and_markups_are_of_the_language() -> None:
    """Days of documents go by no zone, and a factor of one is no markup."""
    assert (EN.day("2026-01-31"), ZH.day("2026-01-31")) == ("Jan 31, 2026", "2026年1月31日")
    assert (EN.month("2026-01"), ZH.month("2026-01")) == ("January 2026", "2026年1月")
    assert [EN.markup(ppm) for ppm in (1_000_000, 1_200_000, 950_000)] == ["0%", "20%", "-5%"]


def test_changes_are_told_with_units_names_and_without_what_says_nothing() -> None:
    """Credits, money and times as elsewhere; an id by its name or its beginning; the subject itself not again."""
    act = SimpleNamespace(
        subject=ACCOUNT,
        before={"amount_nano": 10**9},
        after={
            "account_id": ACCOUNT,
            "note": "",
            "amount_nano": 2_500_000_000,
            "cost_minor": 1_250,
            "exponent": 2,
            "models": ["demo", "large"],
            "lot_id": "01a22e43-e2d3-715d-9090-317d905bbeec",
            "currency": "EUR",
        },
    )
    told = changes_of(act, EN, {})
    assert [(one.field, one.before, one.after) for one in told] == [
        ("Amount", "1.00", "2.50"),
        ("Cost", "", "€12.50"),
        ("Models", "", "demo, large"),
        ("Lot of credit", "", "01a22e43…"),
    ]
    assert len(told) == SHOWN_MAX


def test_a_nested_value_is_flat_and_never_long() -> None:
    """Tables in a cell are told in a line that has an end."""
    after = {
        "gross_minor": 1_250,
        "tax": {"country": "DE", "rate_ppm": 190_000},
        "reasons": ["x" * 100],
        "with_debits": False,
    }
    told = changes_of(SimpleNamespace(subject="", before={}, after=after), EN, {})
    assert told[0].after == "Country DE, Tax rate 19%", "money of no known currency is no amount"
    assert len(told[1].after) == 60
    assert told[2].after == DASH
    told = changes_of(SimpleNamespace(subject="", before={}, after=after), EN, {}, "EUR")
    assert (told[0].field, told[0].after) == ("Total", "€12.50")


def test_prices_and_figures_have_words_too() -> None:
    """Of a million units, as they are sold; and what long work has counted."""
    after = {"demo": {"input_nano_per_million": 600_000_000}, "figures": {"bytes": 3_969, "rows": 44}}
    told = changes_of(SimpleNamespace(subject="", before={}, after=after), EN, {})
    assert [(one.field, one.after) for one in told] == [
        ("demo", "Input 0.60"),
        ("Figures", "bytes 3,969, rows 44"),
    ]


def test_values_and_fields_are_in_the_reader_s_words() -> None:
    """Where there are some; a field that nobody has named keeps the log's name."""
    act = SimpleNamespace(subject="", before={"role": "owner"}, after={"role": "viewer", "odd_field": "hard"})
    told = changes_of(act, EN, {}, text=str.upper)
    assert [(one.field, one.before, one.after) for one in told] == [
        ("ROLE", "OWNER", "VIEWER"),
        ("odd field", "", "hard"),
    ]


def test_reasons_of_ours_are_words_and_lead_to_the_thing() -> None:
    """Those of people stay as they were typed, per cent signs and all."""
    order_id = UUID(ACCOUNT)

    def said(reason: str | None) -> tuple[str, str]:
        return act_reason(str.upper, SimpleNamespace(reason=reason))  # type: ignore[arg-type]  # of an act, the reason

    assert said(f"order {order_id}") == (reference_of(order_id), f"/console/orders/{order_id}")
    assert said(f"code of batch {order_id}") == ("REDEMPTION CODES", f"/console/codes/{order_id}")
    assert said("by_mistake") == ("BOUGHT IT BY MISTAKE", "")
    assert said("100% of an order 5") == ("100% of an order 5", "")
    assert said(None) == ("", "")


def test_every_act_and_every_field_of_one_has_a_word() -> None:
    """Who adds a fact says what people call it; what only programs read is named as such, and nothing is named that is not there."""
    ours = [kind for kind in ACTS if not kind.TOPIC.startswith("order.")]
    assert {kind.TOPIC.partition(".")[2].rpartition(".")[0] for kind in ours} == set(DONE)
    fields = {name for kind in ACTS for name in kind.__struct_fields__} - LEFT_OUT
    assert not fields - SILENT - FIELDS.keys() - FIELD_WORDS.keys()
    assert set(AuditReader.topics.values()) <= set(SUBJECTS)
    assert not SILENT & FIELDS.keys()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("a message of live mode, and we are in test mode", "It is about real money, and test payments are taken here."),
        ("the provider has no such object: 100% gone", "The provider knows nothing of what it is about: 100% gone"),
        ("payment does not match: amount, mode", "The payment does not match the order: Amount, mode"),
        ("a refund of 500 EUR names one of 1250", "A refund of €5.00 was made for one of €12.50 that we asked for."),
        ("not_found: there is no order x", REFUSALS["not_found"]),
        ("nobody: knows", "nobody: knows"),
        (
            "a refund that was denied has been made; dispute dp_1 was lost, and is won",
            "A refund that was denied has been made. Dispute dp_1 was lost, and is won now.",
        ),
    ],
)  # fmt: skip
def test_a_parked_message_says_why_in_words(reason: str, said: str) -> None:
    """Each of its reasons, with amounts as money; one without words stays as it is."""
    assert parked_word(str, reason, EN) == said
