"""The tests that a document names as proofs, by `path::name`."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def named_in(text: str) -> list[tuple[str, str]]:
    """File and function of each, in the order of the text."""
    return re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", text)


def gone_of(text: str) -> list[str]:
    """Those that do not exist: a proof that was renamed or dropped is no proof."""
    return [f"{path}::{name}" for path, name in named_in(text) if name not in _functions(ROOT / path)]


def _functions(path: Path) -> set[str]:
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
