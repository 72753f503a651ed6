"""A file of late usage: each line on its own, and again as often as one likes."""

import io
import json

import pytest

from application.charges import report_usage
from application.charges.import_usage import Imported, ReportForm, import_lines
from tests.application.charges.charge_world import FIRST, PLAIN, RELEASED, ChargeWorld

CSV = (
    "request_id,served_by,report_ref,output,reason\r\n"
    f"{PLAIN},acme,r-1,20,\r\n"
    f"{RELEASED},acme,r-2,5,their words\r\n"
    f"{PLAIN},acme,r-3,many,\r\n"
    f"{PLAIN},other,r-4,5,\r\n"
    f"{PLAIN},acme,r-5,5,,one too many\r\n"
)
LINES = "\n".join(
    [
        json.dumps({"request_id": str(PLAIN), "served_by": "acme", "report_ref": "r-1", "output": 20}),
        json.dumps(
            {
                "request_id": str(RELEASED),
                "served_by": "acme",
                "report_ref": "r-2",
                "output": 5,
                "reason": "their words",
            }
        ),
        "",
        "[1, 2]",
        '{"request_id": ',
    ]
)


def imported(world: ChargeWorld, text: str, form: ReportForm) -> Imported:
    return import_lines(
        io.StringIO(text, newline=""),
        form,
        reason="late",
        take=lambda command: report_usage.handle(command, actor=FIRST, ports=world.ports),
    )


@pytest.mark.parametrize(
    ("text", "form", "refused"),
    [
        (CSV, "csv", [(4, "invalid_request"), (5, "invalid_value"), (6, "invalid_request")]),
        (LINES, "jsonl", [(4, "invalid_request"), (5, "invalid_request")]),
    ],
)
def test_lines_are_taken_in_and_refused_one_by_one(
    text: str, form: ReportForm, refused: list[tuple[int, str]]
) -> None:
    """What is wrong in one stops no other; the second time nothing moves."""
    world = ChargeWorld()
    found = imported(world, text, form)
    assert [(one.line, one.code) for one in found.lines if one.code] == refused
    assert found.refused == len(refused)
    moved = [(one.request_id, one.charged_nano) for one in found.lines if not one.code]
    assert moved == [(str(PLAIN), 18), (str(RELEASED), 10)]
    before = world.wallet.available_nano
    again = imported(world, text, form)
    assert [one.charged_nano for one in again.lines if not one.code] == [0, 0]
    assert world.wallet.available_nano == before
    assert world.verified().ok


def test_a_file_without_lines_takes_nothing_in() -> None:
    """Nor does one with a header alone."""
    world = ChargeWorld()
    assert imported(world, "", "csv").lines == imported(world, "request_id\n", "csv").lines == ()
