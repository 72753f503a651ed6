"""Exports against what was signed: all of the log, its beginning, more than the export; by whom, and for whom."""

from pathlib import Path
from typing import Any

import pytest

from adapters.sealing.ed25519 import Ed25519Signer
from tests.application.sealing.sealed_world import LOG_KEY
from tests.audit.exported import checkpoint, export, seal, write_sums
from tests.histories import ListLog, history
from tokenok_audit import Unreadable, audit, parse_key

LOG = ListLog(history(7, steps=150))
SIZE = len(LOG.events)
OTHER_LOG = ListLog(history(8, steps=150))
OTHER_KEY = Ed25519Signer(LOG_KEY.public.name, bytes(32))
KEYS = [parse_key(LOG_KEY.public.text)]


def _export(place: Path, *, size: int | None = None, until: int | None = None) -> Path:
    """An export of the first `until` events of a log of which the first `size` were sealed."""
    until_position = None if until is None else LOG.events[until - 1].position
    export(place / "export", LOG, sealed=seal(LOG, size=size), until_position=until_position)
    return place / "export"


def _counts(place: Path, **more: Any) -> dict[str, int]:
    counts: dict[str, int] = audit(place, keys=KEYS, **more)["counts"]
    return counts


def _note(place: Path, name: str, note: bytes) -> Path:
    path = place / name
    path.write_bytes(note)
    return path


@pytest.mark.parametrize("size", [1, 2, SIZE - 1, SIZE])
def test_what_was_signed_may_end_before_the_lines(tmp_path: Path, size: int) -> None:
    """The tail was not sealed yet; the root of the rest is built from its part of the lines."""
    result = audit(_export(tmp_path, size=size), keys=KEYS)
    assert result["counts"] == {}
    assert result["sealed"] == {"origin": LOG_KEY.public.name, "size": size}


@pytest.mark.parametrize("until", [1, 2, 3, 64, 65, SIZE - 1])
def test_the_lines_may_end_before_what_was_signed(tmp_path: Path, until: int) -> None:
    """P22: a proof of consistency shows that they are its beginning; a lease may be cut in two by the end."""
    place = _export(tmp_path, until=until)
    assert _counts(place).keys() <= {"P05"}
    (place / "consistency").write_bytes((place / "consistency").read_bytes().replace(b"\n", b"\nAA==\n", 1))
    write_sums(place)
    assert _counts(place)["S02"] == 1
    (place / "consistency").unlink()
    write_sums(place)
    assert _counts(place)["S02"] == 1


def test_an_empty_export_is_the_beginning_of_everything(tmp_path: Path) -> None:
    """There is nothing that could be another log's."""
    export(tmp_path / "export", LOG, sealed=seal(LOG), until_position=0)
    assert _counts(tmp_path / "export") == {}


def test_a_signed_root_of_another_log_is_found(tmp_path: Path) -> None:
    """Rightly signed, but not of these lines."""
    place = _export(tmp_path)
    _note(place, "checkpoint", checkpoint(OTHER_LOG.events[:SIZE]))
    write_sums(place)
    assert _counts(place) == {"S02": 1}


def test_the_name_of_the_key_is_not_the_key(tmp_path: Path) -> None:
    """Who signs with a key of the same name has not signed; nor is an unsigned checkpoint signed."""
    place = _export(tmp_path)
    _note(place, "checkpoint", checkpoint(LOG.events, signer=OTHER_KEY))
    write_sums(place)
    assert _counts(place) == {"S01": 1}
    assert audit(place, keys=[parse_key(OTHER_KEY.public.text)])["counts"] == {}


def test_a_wrong_signature_of_a_known_key_is_found_beside_a_right_one(tmp_path: Path) -> None:
    """C2SP signed notes: one of a known key that does not verify makes the note worthless."""
    place = _export(tmp_path)
    right = checkpoint(LOG.events)
    wrong = checkpoint(LOG.events[:5]).rpartition(b"\n\n")[2]
    _note(place, "checkpoint", right + wrong)
    write_sums(place)
    assert _counts(place) == {"S01": 1}


def test_who_asks_for_a_seal_is_told_that_there_is_none(tmp_path: Path) -> None:
    """An export without a checkpoint is not taken for a sealed one."""
    export(tmp_path / "export", LOG)
    assert _counts(tmp_path / "export") == {"S01": 1}
    assert audit(tmp_path / "export")["counts"] == {}


def test_a_checkpoint_kept_from_earlier_finds_a_rewritten_log(tmp_path: Path) -> None:
    """The operator has the key and signs another history; whoever kept an old root sees it."""
    kept = _note(tmp_path, "kept", checkpoint(LOG.events[:100]))
    assert _counts(_export(tmp_path), kept=[kept]) == {}
    forged = _note(tmp_path, "forged", checkpoint(OTHER_LOG.events[:100]))
    assert _counts(tmp_path / "export", kept=[kept, forged]) == {"S02": 1}
    newer = _note(tmp_path, "newer", checkpoint([*LOG.events, *OTHER_LOG.events]))
    assert _counts(tmp_path / "export", kept=[newer]) == {"S02": 1}


@pytest.mark.parametrize("number", [0, 1, 77, SIZE - 1])
def test_a_customers_proof_leads_to_the_exported_line(tmp_path: Path, number: int) -> None:
    """The event of a receipt is in the export, at its place; another one's proof does not lead there."""
    place = _export(tmp_path)
    proof = seal(LOG).prove(LOG.events[number].position).proof.encode()
    assert _counts(place, proofs=[_note(tmp_path, "right", proof)]) == {}
    head, rest = proof.split(b"\n", 2)[0], proof.split(b"\n", 2)[2]
    other = b"%b\nindex %d\n%b" % (head, (number + 1) % SIZE, rest)
    assert _counts(place, proofs=[_note(tmp_path, "wrong", other)]) == {"S03": 1}
    foreign = seal(OTHER_LOG).prove(OTHER_LOG.events[5].position).proof.encode()
    assert {"S02", "S03"} & _counts(place, proofs=[_note(tmp_path, "foreign", foreign)]).keys()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/log",
        LOG_KEY.public.text.replace("example.com/log+", "example.org/log+"),
        LOG_KEY.public.text[:-4],
        LOG_KEY.public.text + "\nx",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    """A key with a slip in it is told of, and nothing is audited with it."""
    with pytest.raises(Unreadable):
        parse_key(text)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff",
        b"example.com/log\n5\n",
        checkpoint(LOG.events).replace(b"\n%d\n" % SIZE, b"\n0%d\n" % SIZE),
        checkpoint(LOG.events).replace(b"\n\n", b"\nmore\n\n"),
        checkpoint(LOG.events)[:-1],
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, note: bytes) -> None:
    """It is 2, not a traceback."""
    place = _export(tmp_path)
    _note(place, "checkpoint", note)
    write_sums(place)
    with pytest.raises(Unreadable):
        audit(place, keys=KEYS)
