"""Reading master keys."""

import base64
from pathlib import Path

import pytest

from adapters.vault import BadMasterKey, key_file_fault, parse_master_keys

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = base64.b64encode(bytes(range(1, 33))).decode()


def test_several_keys_and_the_first_seals() -> None:
    """A repr shows ids only."""
    keys = parse_master_keys(f" new:{NEW} , old:{OLD}\n")
    assert keys.first_id == "new"
    assert keys.get("old") == bytes(range(32))
    assert keys.get("other") is None
    assert NEW not in repr(keys)
    assert "new" in repr(keys)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        OLD,
        f":{OLD}",
        f"a b:{OLD}",
        "k:",
        "k:not base64!",
        "k:" + base64.b64encode(b"short").decode(),
        "k:" + base64.b64encode(bytes(32)).decode(),
        f"k:{OLD},k:{NEW}",
        f"k:{OLD}\x00",
    ],
)
def test_a_key_that_cannot_be_used_is_refused_without_being_shown(text: str) -> None:
    """An empty setting too: a missing secret is no secret."""
    with pytest.raises(BadMasterKey) as caught:
        parse_master_keys(text)
    assert OLD not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("mode", "fault"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_key_file_is_closed_to_others(tmp_path: Path, mode: int, fault: bool) -> None:
    """The fault says how to mend it."""
    path = tmp_path / "master.key"
    path.write_text(f"k:{OLD}")
    path.chmod(mode)
    found = key_file_fault(path)
    assert (found is not None) == fault
    assert found is None or f"chmod 600 {path}" in found


def test_a_key_file_is_a_file(tmp_path: Path) -> None:
    """Neither a directory nor nothing."""
    assert "no regular file" in (key_file_fault(tmp_path) or "")
    assert "cannot be read" in (key_file_fault(tmp_path / "none") or "")
