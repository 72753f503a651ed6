"""What the pages load: files of ours and vendored ones, all from here."""

import hashlib
import re
from pathlib import Path

from api.console.assets_routes import ASSETS, TYPES
from api.console.rendering import TEMPLATES
from tests.api.console.conftest import World

OURS = {"console.css", "console.js", "passkeys.js", "playground.js", "icon.svg", "VENDOR"}
STYLE_BYTES_MAX = 40 * 1024


def vendored() -> dict[str, str]:
    rows = re.findall(r"^([0-9a-f]{64})  (\S+)$", (ASSETS / "VENDOR").read_text(), re.MULTILINE)
    return {name: digest for digest, name in rows}


def test_vendored_files_are_as_they_were_published() -> None:
    """Each has its hash in VENDOR, with a licence beside it; no other file is there but ours."""
    hashes = vendored()
    assert {path.name for path in ASSETS.iterdir()} == {*hashes, *OURS}
    for name, digest in hashes.items():
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest, name


def test_the_styles_stay_small() -> None:
    """One file, written by hand."""
    assert (ASSETS / "console.css").stat().st_size < STYLE_BYTES_MAX


def test_pages_load_nothing_from_elsewhere() -> None:
    """No address of another host in a template, and nothing inline that the policy would refuse."""
    for path in Path(TEMPLATES).rglob("*.html"):
        text = path.read_text()
        assert not re.findall(r"(?:src|href|action)=\"https?:", text), path
        assert not re.search(r"\son\w+=|\sstyle=|<script>|<style>|javascript:", text), path


def test_files_are_served_with_their_types_and_nothing_beside_them(world: World) -> None:
    """For ever by their version; a name that is none of them is not found."""
    for name, kind in TYPES.items():
        answer = world.get(f"/assets/1/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert "immutable" in answer.headers["cache-control"]
    for name in ("VENDOR", "..%2Fapp.py", "nothing.js"):
        assert world.get(f"/assets/1/{name}").status_code == 404
