"""The image's recipe: rules that a review would otherwise have to repeat."""

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
INSTRUCTIONS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]


def values(name: str) -> list[str]:
    return [value for instruction, value in INSTRUCTIONS if instruction == name]


def last_stage() -> list[tuple[str, str]]:
    start = max(index for index, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
    return [(name, value) for name, value in INSTRUCTIONS[start:]]


def test_no_moving_base() -> None:
    """Every base image has a version, and no stage is called latest."""
    for base in values("FROM"):
        image, _, tag = base.split()[0].partition(":")
        assert tag[:1].isdigit(), image


def test_it_does_not_run_as_root() -> None:
    """The last user is a number, so that an orchestrator can check it, and not zero."""
    (user,) = [value for name, value in last_stage() if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_dependencies_come_before_the_code() -> None:
    """A change of code does not install all dependencies again."""
    copies = [
        index for index, (name, value) in enumerate(INSTRUCTIONS) if name == "COPY" and "--from" not in value
    ]
    lock = next(index for index in copies if "uv.lock" in INSTRUCTIONS[index][1])
    code = next(index for index in copies if INSTRUCTIONS[index][1].startswith("src "))
    between = [value for name, value in INSTRUCTIONS[lock:code] if name == "RUN"]
    assert lock < code
    assert any("uv sync" in run and "--no-install-project" in run for run in between)


def test_what_is_installed_is_what_is_locked() -> None:
    """No development tools, no embedded servers, nothing that points back into the build stage."""
    syncs = [run for run in values("RUN") if "uv sync" in run]
    assert len(syncs) == 2
    for run in syncs:
        assert {"--frozen", "--no-dev", "--no-editable"} <= set(run.split())
        assert "--extra" not in run
        assert "--all-extras" not in run
    assert any("UV_PYTHON_DOWNLOADS=never" in value for value in values("ENV"))


def test_commands_are_in_exec_form() -> None:
    """A shell in between would not pass signals on, and a drain would become a kill."""
    for instruction in ("CMD", "ENTRYPOINT"):
        for value in values(instruction):
            assert isinstance(json.loads(value), list)
    (check,) = values("HEALTHCHECK")
    words = json.loads(check.partition("CMD ")[2])
    assert words[0] == "python"
    assert "curl" not in check


def test_the_uv_of_the_image_is_allowed_by_run() -> None:
    """`./run` and the image build with the same family of uv."""
    (pinned,) = re.findall(r"uv==(\d+)\.(\d+)", (ROOT / "Dockerfile").read_text())
    (bounds,) = re.findall(r"uv>=0\.(\d+),<(\d+)", (ROOT / "run").read_text())
    assert (0, int(bounds[0])) <= (int(pinned[0]), int(pinned[1])) < (int(bounds[1]), 0)


def test_the_base_fits_the_project() -> None:
    """The image's Python is one that the project supports, and both stages have the same."""
    tags = {base.split()[0] for base in values("FROM")}
    assert len(tags) == 1
    version = re.search(r"python:(\d+)\.(\d+)", tags.pop())
    assert version
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert (int(version[1]), int(version[2])) >= tuple(
        int(part) for part in lowest.removeprefix(">=").split(".")
    )


def test_only_what_is_copied_reaches_the_builder() -> None:
    """The ignore file lets in exactly the sources of the COPY instructions: no secrets, no data, no history."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*"
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    wanted = {
        source for value in values("COPY") if not value.startswith("--from") for source in value.split()[:-1]
    }
    assert all(any(fnmatch(name, source) for source in wanted) for name in let_in)
    assert all(any(fnmatch(name, source) for name in let_in) for source in wanted)
