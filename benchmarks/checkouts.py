"""CPU per request of several checkouts in turn: is this commit dearer than that one, and in which process?

    ./run bench checkouts before=../before now=. [--seconds 5] [--rounds 6] [--path-only]

Each checkout needs its environment (`./run help` in it makes one). All of them serve at the same time and are asked one
after the other, in alternating order, so that what else the machine does hits all alike. With `--path-only` worker and
scheduler stand still, and what is left is what a request itself costs: gateway, Postgres, Valkey. Needs `wrk`.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.gateways import TICKS_S, Candidate, load, tree

BEHIND = ("worker", "scheduler")  # what requests do not wait for
ROLES = (
    ("-m sandbox", "sandbox"),
    ("postgres", "postgres"),
    ("valkey", "valkey"),
    ("-m worker", "worker"),
    ("-m scheduler", "scheduler"),
    ("gateway", "gateway"),
)
CONNECTIONS = 64
SETTLE_S = 4  # for what is done behind the requests


@dataclass(frozen=True, kw_only=True)
class Checkout:
    name: str
    candidate: Candidate


def role_of(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return next((role for part, role in ROLES if part in command), "other")


def cpu_by_role(root: int) -> dict[str, float]:
    """CPU seconds so far of a `tokenok up`, by what its processes are for."""
    used: dict[str, float] = defaultdict(float)
    for pid in tree(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[role_of(pid)] += (int(fields[11]) + int(fields[12])) / TICKS_S
        except OSError:
            continue
    used.pop("sandbox", None)
    return used


@contextmanager
def serving(name: str, checkout: Path, folder: Path) -> Iterator[Checkout]:
    """`tokenok up` of that checkout, with its own environment, database and sandbox."""
    folder.mkdir(mode=0o711)
    ready = folder / "ready.json"
    python = checkout / ".venv/bin/python"
    environ = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    environ |= {"PATH": f"{python.parent}:{environ['PATH']}", "PYTHONPATH": str(checkout / "src")}
    command = [str(python), "-m", "cli", "up", "--port", "0", "--data", str(folder / "data")]
    running = subprocess.Popen(
        [*command, "--ready-file", str(ready)], cwd=checkout, env=environ, stdout=subprocess.DEVNULL
    )
    try:
        while not ready.exists():
            if running.poll() is not None:
                raise SystemExit(f"{name}: tokenok up ended")
            time.sleep(0.1)
        told = json.loads(ready.read_bytes())
        url = f"{told['base_url']}/chat/completions"
        yield Checkout(
            name=name,
            candidate=Candidate(name=name, url=url, key=told["api_key"], model="demo-fast", pid=running.pid),
        )
    finally:
        signal_behind(running.pid, signal.SIGCONT)
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=60)


def signal_behind(root: int, what: signal.Signals) -> None:
    for pid in list(tree(root)):
        if role_of(pid) in BEHIND:
            os.kill(pid, what)


def one_run(checkout: Checkout, *, seconds: int, is_stream: bool) -> dict[str, float]:
    """µs of CPU a request by role, their sum, and requests/s."""
    before = cpu_by_role(checkout.candidate.pid)
    told = load(checkout.candidate, connections=CONNECTIONS, seconds=seconds, is_stream=is_stream)
    if told["bad"]:
        raise SystemExit(f"{checkout.name}: {told['bad']} requests were refused")
    time.sleep(SETTLE_S)
    after = cpu_by_role(checkout.candidate.pid)
    cost = {role: (after[role] - before.get(role, 0)) / told["requests"] * 1e6 for role in after}
    return cost | {"all": sum(cost.values()), "requests/s": told["requests"] / told["us"] * 1e6}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("checkouts", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--path-only", action="store_true")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed (Debian: apt install wrk)")
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="tokenok-", ignore_cleanup_errors=True)))
        root.chmod(0o711)
        checkouts = []
        for told in options.checkouts:
            name, _, folder = told.partition("=")
            checkouts.append(stack.enter_context(serving(name, Path(folder).resolve(), root / name)))
        if options.path_only:
            for one in checkouts:
                signal_behind(one.candidate.pid, signal.SIGSTOP)
        for is_stream in (False, True):
            compare(checkouts, rounds=options.rounds, seconds=options.seconds, is_stream=is_stream)


def compare(checkouts: list[Checkout], *, rounds: int, seconds: int, is_stream: bool) -> None:
    """The median of each cost, and its ratio to the first checkout's."""
    costs: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for one in checkouts if number % 2 == 0 else checkouts[::-1]:
            for what, cost in one_run(one, seconds=seconds, is_stream=is_stream).items():
                costs[what][one.name].append(cost)
    print(
        f"\n{'stream' if is_stream else 'JSON'}: median of {rounds} runs of {seconds} s, CPU in us a request"
    )
    print(f"{'':12}" + "".join(f"{one.name:>18}" for one in checkouts))
    for what, by_name in sorted(costs.items()):
        first = median(by_name[checkouts[0].name])
        cells = [median(by_name[one.name]) for one in checkouts]
        told = [f"{cell:9.0f} {cell / first - 1:+7.0%}" if first >= 1 else f"{cell:9.0f}" for cell in cells]
        print(f"{what:12}" + "".join(f"{one:>18}" for one in told))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
