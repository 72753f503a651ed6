"""Gets the own tests of an official SDK, which only its source distribution has, in the version that `uv.lock` names.

Owns `.cache/SDK-VERSION/` in the repository, or at home where that cannot be written: the unpacked source
distribution, checked against the locked hash, and an environment for it. Made once under a lock; a folder that was left
half made is made again.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

ROOT = Path(__file__).parents[2]
Sdk = Literal["openai", "anthropic"]
FETCH_S_MAX = 240
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "XDG_CACHE_HOME")
"""With all of `PIP_*` and `UV_*`: how this machine reaches its package index."""


class SuiteUnavailable(Exception):
    """The SDK's tests could not be had: the message says which step failed and how."""


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """`source` is the unpacked source distribution, `python` an interpreter that can run its tests."""

    version: str
    source: Path
    python: Path


def locked(sdk: Sdk) -> tuple[str, str]:
    """Version and hash (`sha256:...`) of the source distribution that the lock names."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    package: dict[str, Any] = next(one for one in lock["package"] if one["name"] == sdk)
    return package["version"], package["sdist"]["hash"]


def obtain(sdk: Sdk) -> Suite:
    """The suite, from the cache or the package index.

    Raises:
        SuiteUnavailable: no uv, no network, or another source distribution than the locked one.
    """
    version, source_hash = locked(sdk)
    needed = Path(__file__).with_name(f"{sdk}_suite_requirements.txt").read_text()
    requirements = f"{sdk}=={version}\n{needed}"
    mark = hashlib.sha256(f"{sys.version}{source_hash}{requirements}".encode()).hexdigest()
    cache = ROOT if os.access(ROOT, os.W_OK) else Path.home()
    home = cache / ".cache" / f"{sdk}-{version}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = home / "made"
        if not made.exists() or made.read_text() != mark:
            _make(home, f"{sdk}-{version}", source_hash, requirements)
            made.write_text(mark)
    return Suite(
        version=version, source=home / f"{sdk}-{version}", python=home / "environment" / "bin" / "python"
    )


def _make(home: Path, release: str, source_hash: str, requirements: str) -> None:
    for leftover in (home / release, home / "environment", home / "made"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        leftover.unlink(missing_ok=True)
    uv = _uv()
    sdk, _, version = release.partition("-")
    (home / "source.txt").write_text(f"{sdk}=={version} --hash={source_hash}\n")
    (home / "environment.txt").write_text(requirements)
    # uv itself cannot download a source distribution without installing it; pip can, and checks its hash.
    download = ["download", "--quiet", "--no-deps", "--no-binary", sdk, "--require-hashes"]
    _run(home, [uv, "tool", "run", "pip", *download, "--dest", ".", "--requirement", "source.txt"])
    with tarfile.open(home / f"{release}.tar.gz") as archive:
        archive.extraction_filter = getattr(
            tarfile, "data_filter", None
        )  # early 3.11 has none; the hash is checked
        archive.extractall(home)
    _run(home, [uv, "venv", "--quiet", "--python", sys.executable, "environment"])
    install = [uv, "pip", "install", "--quiet", "--python", "environment/bin/python"]
    _run(home, [*install, "--requirement", "environment.txt"])


def _uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv") or shutil.which(ROOT / ".tools" / "bin" / "uv")
    if found is None:
        raise SuiteUnavailable("uv was not found: run the tests through ./run test, or put uv on the PATH")
    return found


def _run(home: Path, command: list[str]) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in INHERITED or name.startswith(("PIP_", "UV_"))
    }
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=FETCH_S_MAX, check=False
    )
    if done.returncode:
        raise SuiteUnavailable(
            f"the SDK's own tests could not be had (is the package index within reach?): "
            f"'{' '.join(command[1:4])}' failed:\n{done.stderr[-2_000:]}"
        )
