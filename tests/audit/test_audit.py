"""The audit program on exports of lawful and of unlawful logs."""

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import tokenok_audit
from application.eventlog import NewEvent
from application.verify import verify
from domain.catalogue.prices import PRICE_LIST_STREAM
from domain.topics import REGISTRY
from tests.application.sealing.sealed_world import LOG_KEY
from tests.application.verify import test_verify as seeded
from tests.audit.exported import export, seal
from tests.histories import ListLog, history
from tokenok_audit import CHECKS, SHOWN_MAX, audit, parse_key, report

PROGRAM = Path(tokenok_audit.__file__)
KEY = LOG_KEY.public.text


def _audited(place: Path, events: Sequence[NewEvent]) -> dict[str, Any]:
    place.mkdir(exist_ok=True)
    export(place / "export", ListLog(events))
    return audit(place / "export")


def test_the_program_stands_alone(tmp_path: Path) -> None:
    """Nothing but the standard library, neither in its imports nor when it runs: no site packages, no environment."""
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(PROGRAM.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names
    place, log = tmp_path / "export", ListLog(history(1, steps=60))
    export(place, log, sealed=seal(log))
    program = tmp_path / "alone.py"
    program.write_bytes(PROGRAM.read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(place), "--key", KEY, "--jobs", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nsealed by example.com/log: " in done.stdout
    assert "\nnothing was found\n" in done.stdout


@pytest.mark.parametrize("seed", range(8))
def test_the_replay_agrees_with_the_built_in_verification(tmp_path: Path, seed: int) -> None:
    """P10: two programs that share no code come to the same trial balance and figures."""
    events = history(seed, steps=400, accounts=4)
    result, figures = _audited(tmp_path, events), verify(ListLog(events), REGISTRY).figures
    assert result["counts"] == {}
    assert result["trial_balance_sha256"] == figures.trial_balance_sha256
    for name in ("events", "position", "requests", "requests_open", "leases_open"):
        assert result[name] == getattr(figures, name)
    totals = result["accounts"].values()
    changed_nano = sum(one["granted_nano"] + one["adjusted_nano"] for one in totals)
    assert changed_nano == figures.granted_nano - figures.taken_nano
    assert figures.taken_nano
    assert sum(one["charged_nano"] for one in totals) == figures.charged_nano


@pytest.mark.parametrize("name", seeded.FAULTS)
def test_every_seeded_fault_of_the_ledger_is_found(tmp_path: Path, name: str) -> None:
    """What the built-in verification is tested with is found here as well, under the same invariant.

    An amount below zero is none at all to this program.
    """
    code, fault = seeded.FAULTS[name]
    story = seeded._story()
    fault(story)
    found = _audited(tmp_path, seeded._stored(story))["counts"]
    assert code in found or ("negative" in name and "L02" in found), found


def test_the_result_depends_on_the_log_alone(tmp_path: Path) -> None:
    """P10: how the lines are split, stored and hashed, and by how many processes, changes nothing of the result."""
    log = ListLog(history(2, steps=200))
    results = set()
    for number, (lines, compressed, jobs) in enumerate([(1_000, False, 1), (7, False, 3), (64, True, 2)]):
        place = tmp_path / str(number)
        export(place, log, sealed=seal(log), lines=lines, compressed=compressed)
        results.add(audit(place, keys=[parse_key(KEY)], jobs=jobs)["result_sha256"])
    assert len(results) == 1
    assert _audited(tmp_path, history(2, steps=201))["result_sha256"] not in results


def test_an_empty_export_is_clean(tmp_path: Path) -> None:
    """Nothing was granted, nothing is missing."""
    result = _audited(tmp_path, [])
    assert (result["counts"], result["events"], result["accounts"]) == ({}, 0, {})


def test_versions_with_a_gap_are_found(tmp_path: Path) -> None:
    """P08: an event that the exporter left out, whatever it was, unless it is the last of its stream."""
    events = history(5, steps=60)
    for index in range(0, len(events) - 1, 9):
        stream = [event for event in events if event.stream_id == events[index].stream_id]
        if events[index] is not stream[-1]:
            left = [event for event in events if event is not events[index]]
            assert "P08" in _audited(tmp_path / str(index), left)["counts"]


def test_a_stream_that_begins_again_is_found(tmp_path: Path) -> None:
    """P06: a lease of an id that has ended before, all of its events once more."""
    story = seeded._story()
    again = [line for line in story if line[0] == seeded.LEASE]
    stored = seeded._stored(story)
    found = _audited(tmp_path, [*stored, *seeded._stored(again)])
    assert "P06" in found["counts"]


@pytest.mark.parametrize(
    "state",
    [
        b"[]",
        b"{}",
        b'{"request_id":',
        b'{"request_id":1}',
        b'{"account_id":"x"}',
        b"{" + b'"a":{' * 5_000 + b"}" * 5_001,
        b'{"a":NaN}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":"\xff"}',
    ],
)
@pytest.mark.parametrize(
    ("stream_id", "version", "topic"),
    [
        (UUID(int=99), 1, "lease.usage-charged.v1"),
        (seeded.WALLET, 5, "wallet.lease-settled.v1"),
        (PRICE_LIST_STREAM, 2, "price-list.published.v1"),
    ],
)
def test_bytes_that_are_no_event_are_found(
    tmp_path: Path, stream_id: UUID, version: int, topic: str, state: bytes
) -> None:
    """They are told of as what they are, and the rest is still looked at."""
    stored = [*seeded._stored(seeded._story()), NewEvent(stream_id, version, topic, state)]
    result = _audited(tmp_path, stored)
    assert {"E03", "L02"} & result["counts"].keys()
    assert result["requests"] == 3


def test_a_topic_that_nobody_knows_is_found(tmp_path: Path) -> None:
    """L02: neither the exporter nor this program can say what it moved."""
    stored = [*seeded._stored(seeded._story()), NewEvent(UUID(int=99), 1, "lease.unheard-of.v1", b"{}")]
    assert _audited(tmp_path, stored)["counts"] == {"L02": 1}


def test_only_the_first_findings_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    """Nobody reads a million lines."""
    unknown = [NewEvent(UUID(int=number), 1, "lease.unheard-of.v1", b"{}") for number in range(1, 151)]
    result = _audited(tmp_path, unknown)
    assert (len(result["violations"]), result["counts"]["L02"]) == (SHOWN_MAX, 150)


def test_a_report_reads_well(tmp_path: Path) -> None:
    """It says what was looked at, how everyone stands, what was found where, and how it ends."""
    story = seeded._story()
    seeded.edit(seeded.UsageCharged, charge_nano=101)(story)
    text = report(_audited(tmp_path, seeded._stored(story)), all_accounts=False)
    assert text.startswith("14 events up to position 40\n3 requests, 0 of them open; 0 open leases\nroot ")
    assert "\nnot sealed\n" in text
    assert f"\nL04 at 25: {seeded.LEASE}: charges 101, more than it held\n" in text
    assert f"\nL04 violated 1 times: {CHECKS['L04']}\n" in text
    assert "\nSOMETHING IS WRONG\nresult sha256 " in text


def test_what_is_printed_cannot_move_the_cursor(tmp_path: Path) -> None:
    """Names in a log are anyone's; a terminal gets none of their control characters."""
    story = seeded._story()
    seeded.edit(seeded.UsageCharged, alias="\x1b[2Jnothing was found\n")(story)
    text = report(_audited(tmp_path, seeded._stored(story)), all_accounts=True)
    assert "\x1b" not in text


def test_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What scripts read is what was hashed."""
    export(tmp_path / "export", ListLog(history(1, steps=60)))
    assert tokenok_audit.main([str(tmp_path / "export"), "--unsigned", "--json", "--jobs", "1"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == audit(tmp_path / "export")
