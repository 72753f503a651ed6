"""The audit program folds again what closings have sealed, and applies no posting rules that it does not know."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import tokenok_audit
from application.exporting.manifest import MANIFEST
from application.verify import verify
from domain.ledger.postings import CURRENT_RULES, rules_file
from domain.topics import REGISTRY
from tests.application.verify import test_periods as seeded
from tests.audit.exported import export, write_sums
from tests.histories import ListLog, history
from tokenok_audit import KNOWN_RULES, audit, report


def _audited(place: Path, log: ListLog) -> dict[str, Any]:
    export(place, log)
    return audit(place)


@pytest.mark.parametrize("seed", range(4))
def test_closings_that_say_what_the_log_says_are_told(tmp_path: Path, seed: int) -> None:
    """Each with its position and digest, as the built-in verification finds them."""
    log = seeded.closed_log(seed=seed)
    result = _audited(tmp_path / "export", log)
    assert (result["counts"], verify(log, REGISTRY).counts) == ({}, {})
    assert [one["period"] for one in result["periods"]] == list(seeded.MONTHS)
    assert "2025-12 closed at position" in report(result, all_accounts=False)


@pytest.mark.parametrize("name", seeded.FAULTS)
def test_a_closing_that_says_otherwise_is_found(tmp_path: Path, name: str) -> None:
    """Only the one that differs."""
    result = _audited(tmp_path / "export", seeded.closed_log(seeded.FAULTS[name]))
    assert result["counts"] == {"L05": 1}
    assert [one["period"] for one in result["periods"] if not one["is_right"]] == ["2025-12"]
    assert "THE BOOKS STOOD OTHERWISE" in report(result, all_accounts=False)


def test_every_version_of_the_rules_is_known() -> None:
    """By the sum of its file. A released file is never edited; a new one has to be written down here as well."""
    versions = range(1, CURRENT_RULES + 1)
    assert {hashlib.sha256(rules_file(version)).hexdigest(): version for version in versions} == KNOWN_RULES


def test_rules_that_nobody_knows_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever else fits to them; unless the auditor has read them and says so by their sum."""
    place = tmp_path / "export"
    export(place, ListLog(history(1, steps=60)))
    name = f"posting-rules-{CURRENT_RULES}.json"
    (place / name).write_bytes(rules_file(CURRENT_RULES) + b"\n")
    sha256 = hashlib.sha256((place / name).read_bytes()).hexdigest()
    manifest = json.loads((place / MANIFEST).read_bytes())
    manifest["posting_rules"]["sha256"] = sha256
    (place / MANIFEST).write_text(json.dumps(manifest))
    write_sums(place)
    asked = [str(place), "--unsigned", "--jobs", "1"]
    assert tokenok_audit.main(asked) == 2
    assert sha256 in capsys.readouterr().err
    assert tokenok_audit.main([*asked, "--rules", "0" * 64]) == 2
    assert tokenok_audit.main([*asked, "--rules", sha256]) == 0
    assert f"posting rules {CURRENT_RULES}, sha256 {sha256}" in capsys.readouterr().out


def test_the_manifest_names_the_rules_by_their_sum(tmp_path: Path) -> None:
    """Another sum in it is found."""
    place = tmp_path / "export"
    export(place, ListLog(history(1, steps=60)))
    manifest = json.loads((place / MANIFEST).read_bytes())
    assert manifest["posting_rules"]["sha256"] in KNOWN_RULES
    manifest["posting_rules"]["sha256"] = "0" * 64
    (place / MANIFEST).write_text(json.dumps(manifest))
    write_sums(place)
    assert audit(place)["counts"] == {"E02": 1}
