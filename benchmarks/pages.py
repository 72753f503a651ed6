"""How long each page of the console takes with many customers, keys and requests behind it.

    ./run bench pages --requests 1000000 --accounts 10000 --keys 100000

Loads a log, builds the read models, starts the console as a process, signs in as an administrator and as the owner of the largest
account, and follows links until it has found every kind of page. A page's time is from sending the request to the last byte of
its answer, over a connection that is open. With `--keep` the console goes on running afterwards, for somebody to look at.
"""

import argparse
import base64
import logging
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from uuid import UUID

import httpx
import psycopg
import structlog
from benchmarks.projections import servers, service
from benchmarks.support.ledger_log import Load
from benchmarks.support.population import Population

from adapters.eventstore.store import PostgresEventStore
from application.clock import SystemClock
from application.eventlog import NewEvent
from application.members import invite_member
from application.operators import invite_operator, register_operator
from application.people.join import Who, join_as_operator, join_as_somebody_new
from application.people.links import Link
from bootstrap import make_people, open_pool, ports_of
from domain.fact import SYSTEM
from domain.secret import Secret
from settings import Settings

BATCH_EVENTS = 5_000
P95_MS_MAX = 50
PLACES_MAX = 3  #: pages of one kind that are asked for
STAFF, OWNER = "admin@staff.example", "owner@customer.example"
_CSRF = re.compile(r'name="_csrf" value="([0-9a-f]+)"')
_LINK = re.compile(r'<a [^>]*href="(/[^"#]*)"')
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_NOT_PAGES = ("/assets", "/static", "/sign-out", "/language", "/theme")


def load(url: str, *, requests: int, accounts: int, keys: int) -> UUID:
    """Fill the log; the account with the most in it."""
    clock = SystemClock()
    population = Population(accounts=accounts, keys=keys, now_us=clock.now_us())
    begun_s = time.monotonic()
    with PostgresEventStore(url) as store:
        events = population.store(store, url)
        batch: list[NewEvent] = []
        for group in Load(population.keys, open_max=2).groups(requests):
            batch += group
            if len(batch) >= BATCH_EVENTS:
                store.append(batch)
                events += len(batch)
                batch = []
        store.append(batch)
    print(
        f"{accounts:,} accounts, {keys:,} keys, {requests:,} requests: {events + len(batch):,} events", end=""
    )
    print(f" in {time.monotonic() - begun_s:.0f} s", flush=True)
    return next(iter(population.keys))


def build(url: str) -> None:
    begun_s = time.monotonic()
    with service(url) as projections:
        projections.rebuild_all()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")  # as autovacuum does in time
    print(f"read models in {time.monotonic() - begun_s:.0f} s", flush=True)


def let_in(settings: Settings, account_id: UUID) -> str:
    """An administrator and an owner of the account; the password of both."""
    password = secrets.token_urlsafe(12)
    with ports_of(settings) as ports, open_pool(settings) as pool:
        people = make_people(settings, pool)
        made = register_operator.handle(
            register_operator.RegisterOperator(name="Admin", role="admin"), actor=SYSTEM, ports=ports
        )
        link = invite_operator.handle(
            invite_operator.InviteOperator(operator_id=made.operator_id), actor=SYSTEM, ports=ports
        )
        join_as_operator(
            _end_of(link), Who(email=STAFF, password=Secret(password)), ports=ports, people=people
        )
        link = invite_member.handle(
            invite_member.InviteMember(account_id=account_id, role="owner"), actor=SYSTEM, ports=ports
        )
        who = Who(email=OWNER, password=Secret(password))
        join_as_somebody_new(account_id, _end_of(link), who, ports=ports, people=people)
    return password


def _end_of(link: Link) -> str:
    return link.link.reveal().rpartition("/")[2]


@contextmanager
def console(environment: dict[str, str]) -> Iterator[str]:
    """Its address, once it answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    source = Path(__file__).parents[1] / "src"
    command = [sys.executable, "-m", "console_main", "--port", str(port)]
    begun_s = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | environment | {"CONSOLE_URL": url}, cwd=source)
    try:
        while process.poll() is None and not _answers(url):
            time.sleep(0.1)
        print(f"the console was ready after {time.monotonic() - begun_s:.1f} s\n", flush=True)
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def kind_of(path: str) -> str:
    """What pages that differ in what they show, not in how, have in common."""
    path, _, query = path.partition("?")
    names = sorted(one.partition("=")[0] for one in query.replace("&amp;", "&").split("&") if one)
    return _ID.sub("*", path) + (f" ?{','.join(names)}" if names else "")


class Browser:
    """Somebody who has signed in and looks at everything."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.client = httpx.Client(
            base_url=url, trust_env=False, timeout=120, headers={"accept-encoding": "gzip"}
        )
        found = _CSRF.search(self.client.get("/sign-in").text)
        assert found is not None
        form = {"_csrf": found[1], "email": email, "password": password}
        answer = self.client.post("/sign-in", data=form)
        assert answer.status_code == 303, answer.status_code

    def kinds(self, *, below: str) -> dict[str, list[str]]:
        """Paths of each kind of page that links lead to."""
        seen: dict[str, list[str]] = {}
        todo = deque([below])
        known = {below}
        while todo:
            path = todo.popleft()
            places = seen.setdefault(kind_of(path), [])
            if len(places) >= PLACES_MAX:
                continue
            answer = self.client.get(path)
            if (
                answer.headers.get("content-type", "").partition(";")[0] != "text/html"
                or not answer.is_success
            ):
                if not answer.is_success:
                    print(f"{path} answers {answer.status_code}")
                seen.pop(kind_of(path)) if not places else None
                continue
            places.append(path)
            for link in _LINK.findall(answer.text.replace("&amp;", "&")):
                if link.startswith((below, "/me")) and not link.startswith(_NOT_PAGES) and link not in known:
                    known.add(link)
                    todo.append(link)
        return seen

    def time(self, paths: list[str], *, rounds: int) -> tuple[float, float, int]:
        """p50 and p95 in milliseconds, and the bytes of the longest answer as they travelled."""
        took_ms, size = [], 0
        for number in range(rounds):
            begun_s = time.perf_counter()
            answer = self.client.get(paths[number % len(paths)])
            took_ms.append((time.perf_counter() - begun_s) * 1000)
            size = max(size, int(answer.headers.get("content-length", len(answer.content))))
        cuts = quantiles(took_ms, n=20)
        return cuts[9], cuts[18], size


def measure(browser: Browser, *, below: str, rounds: int) -> list[str]:
    """Print a line for each kind of page; those that take too long."""
    slow = []
    print(f"| below {_ID.sub('*', below)} | p50 ms | p95 ms | KB sent |\n|---|---|---|---|")
    for kind, paths in sorted(browser.kinds(below=below).items()):
        p50_ms, p95_ms, size = browser.time(paths, rounds=rounds)
        print(f"| {kind} | {p50_ms:.1f} | {p95_ms:.1f} | {size / 1000:.0f} |", flush=True)
        if p95_ms > P95_MS_MAX:
            slow.append(kind)
    print()
    return slow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--keep", action="store_true", help="let the console run until a key is pressed")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with ExitStack() as stack:
        url, redis_url = stack.enter_context(servers())
        account_id = load(url, requests=options.requests, accounts=options.accounts, keys=options.keys)
        build(url)
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "TOKENOK_MASTER_KEY": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        }
        settings = Settings(database_url=url, tokenok_master_key=environment["TOKENOK_MASTER_KEY"])
        password = let_in(settings, account_id)
        address = stack.enter_context(console(environment))
        slow = measure(Browser(address, STAFF, password), below="/console", rounds=options.rounds)
        slow += measure(Browser(address, OWNER, password), below=f"/app/{account_id}", rounds=options.rounds)
        print(
            "\n".join(f"p95 above {P95_MS_MAX} ms: {kind}" for kind in slow) or f"all within {P95_MS_MAX} ms"
        )
        if options.keep:
            print("\n".join(f"{name}={value}" for name, value in environment.items()))
            print(f"{address} as {STAFF} or {OWNER}, password {password}", flush=True)
            sys.stdin.read(1)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
