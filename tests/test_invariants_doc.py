"""`docs/invariants.md` says which test proves what."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/invariants.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    """A proof that was renamed or dropped is no proof."""
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", TEXT)
    assert len(named) > 40
    gone = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or name not in _functions(ROOT / path)
    ]
    assert not gone


def test_every_invariant_has_its_line() -> None:
    """None is forgotten, and what is not there yet says so."""
    told: set[int] = set()
    for first, last in re.findall(r"^\| P(\d\d)(?:-P(\d\d))? \|", TEXT, re.MULTILINE):
        told |= set(range(int(first), int(last or first) + 1))
    assert told == set(range(1, 31))


def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
