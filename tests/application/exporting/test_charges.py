"""Charges as CSV: every one of them, exactly, and nothing that a spreadsheet runs."""

import csv
import io
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.exporting.charges import COLUMNS, ChargeFilter, charge_rows
from application.exporting.csv_text import safe, write_csv
from domain.ledger.events import UsageCharged
from domain.topics import REGISTRY
from tests.histories import START_US, ListLog, history

LOG = ListLog(history(1, steps=300), pace_us=1_000_000)
CHARGES = [
    (one, event)
    for one in LOG.events
    if isinstance(event := REGISTRY.decode(one.topic, one.state), UsageCharged)
]


class Memory(io.BytesIO):
    """Keeps what was written."""


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> bytes:
    file = Memory()
    assert write_csv(file, columns, rows) == len(rows)
    return file.getvalue()


def _read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_every_charge_is_a_row() -> None:
    """Names in the head, each figure as in its event, texts as they are unless they begin a formula."""
    rows = list(charge_rows(iter(LOG.events), REGISTRY, ChargeFilter()))
    head, *lines = _read(_csv(COLUMNS, rows))
    assert tuple(head) == COLUMNS
    found = [dict(zip(head, line, strict=True)) for line in lines]
    assert len(found) == len(CHARGES) > 40
    for line, (recorded, event) in zip(found, CHARGES, strict=True):
        assert line["position"] == str(recorded.position)
        assert line["request_id"] == str(event.request_id)
        assert line["model"] == safe(event.alias)
        assert int(line["charge_nano"]) == event.charge_nano
        assert int(line["input"]) == event.units.input
    assert found[0]["recorded_at"].startswith("2025-11-24T")
    assert found[0]["recorded_at"].endswith(".000000Z")


def test_of_one_account_and_a_time() -> None:
    """From the first moment to before the last; no other customer's."""
    account_id = CHARGES[0][1].account_id
    from_us, until_us = CHARGES[5][0].recorded_at_us, CHARGES[25][0].recorded_at_us
    wanted = ChargeFilter(account_id=account_id, from_us=from_us, until_us=until_us)
    rows = list(charge_rows(iter(LOG.events), REGISTRY, wanted))
    expected = [recorded.position for recorded, event in CHARGES[5:25] if event.account_id == account_id]
    assert [row[0] for row in rows] == expected
    assert from_us > START_US


@given(st.lists(st.tuples(st.text(), st.integers()), max_size=20))
def test_csv_reads_back_and_is_no_formula(rows: list[tuple[str, int]]) -> None:
    """RFC 4180: any text and any number come back; no cell begins as a formula does, and numbers get no apostrophe."""
    _, *found = _read(_csv(("text", "number"), rows))
    for (text, number), (cell, figure) in zip(rows, found, strict=True):
        assert figure == str(number)
        assert cell.removeprefix("'") == text.removeprefix("'")
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_what_begins_a_formula_becomes_text(text: str) -> None:
    """As spreadsheets show it: an apostrophe before it."""
    assert safe(text) == f"'{text}"


def test_long_tables_are_written_in_pieces() -> None:
    """Memory does not depend on how many rows there are."""

    class Pieces(Memory):
        def write(self, data: bytes) -> int:  # type: ignore[override]  # only bytes here
            assert len(data) < 512 * 1024
            return super().write(data)

    file = Pieces()
    assert write_csv(file, ("text",), (("x" * 1_000,) for _ in range(2_000))) == 2_000
    assert len(_read(file.getvalue())) == 2_001


def test_the_account_of_a_row_is_asked_for_by_its_id() -> None:
    """An account without charges has an empty table, with its head."""
    rows = list(charge_rows(iter(LOG.events), REGISTRY, ChargeFilter(account_id=UUID(int=0))))
    assert _csv(COLUMNS, rows).count(b"\r\n") == 1
