"""Two processes' books on one Postgres: credit that lies idle in one serves a request at the other, and none is spent twice."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from adapters.eventstore.store import PostgresEventStore
from application.clock import SystemClock
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.reaper import fence_lease
from application.ledger.wallet_reader import load_wallet
from domain.ids import uuid7
from domain.ledger.events import LeaseReduced, Owner
from tests.application.ledger.books import require_sound
from tests.databases import migrated_template

ROOT = Path(__file__).parents[3]
ROUNDS = 20
CLIENTS = 64
PAID_FOR = 10


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def store(database_url: str) -> Iterator[PostgresEventStore]:
    with PostgresEventStore(database_url) as opened:
        yield opened


class BookProcess:
    """The other end of `book_process.py`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        assert process.stdin is not None
        self._out, self._in = process.stdout, process.stdin
        assert self._out.readline() == "ready\n"

    def send(self, command: str) -> None:
        self._in.write(command + "\n")
        self._in.flush()

    def answer(self) -> list[str]:
        return self._out.readline().split()

    def ask(self, command: str) -> list[str]:
        """The answer to one command, without the request's name."""
        self.send(command)
        return self.answer()[1:]

    def kill(self) -> None:
        """-9: nothing of it is settled."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Settle everything and leave."""
        self._in.close()
        assert self._process.wait(timeout=60) == 0


@contextmanager
def two_books(url: str, account_id: UUID) -> Iterator[tuple[BookProcess, BookProcess]]:
    command = [sys.executable, "-m", "tests.application.ledger.book_process", url, str(account_id)]
    started = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        )
        for _ in range(2)
    ]
    try:
        first, second = (BookProcess(process) for process in started)
        yield first, second
    finally:
        for process in started:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def new_account(store: PostgresEventStore, amount_nano: int) -> UUID:
    account_id = uuid7()
    lot = GrantCredit(
        account_id=account_id,
        lot_id=uuid7(),
        amount_nano=amount_nano,
        source="paid",
        reason="test",
        granted_by="test",
    )
    grant_credit(lot, store=store, clock=SystemClock())
    return account_id


def test_a_request_is_never_refused_for_credit_that_lies_idle_elsewhere(
    database_url: str, store: PostgresEventStore
) -> None:
    """The account's whole credit lies free in the lease of one process, and the other gets a request that needs all of it.

    The first process does not give back by itself here (no idle time is long enough), so the credit comes by a recall
    or not at all; the request is served in every round, with the roles exchanged each time. Idle for how long does not
    matter: the question is asked at once, and a refusal needs every owner's answer, which comes after its give-back.
    """
    left_nano = 1_000
    account_id = new_account(store, left_nano)
    with two_books(database_url, account_id) as books:
        for number in range(ROUNDS):
            holder, asker = books[number % 2], books[1 - number % 2]
            assert holder.ask(f"hold idle{number} {left_nano}") == ["held"]
            assert holder.ask(f"release idle{number}") == ["released"]
            assert asker.ask(f"hold wanted{number} {left_nano}") == ["held"]
            assert asker.ask(f"charge wanted{number} 1") == ["charged"]
            left_nano -= 1
        for book in books:
            book.end()
    wallet = load_wallet(store, account_id).wallet
    assert (wallet.available_nano, wallet.charged_nano, wallet.leases) == (left_nano, ROUNDS, {})
    assert require_sound(store) == ROUNDS
    given_back = [
        one for one in store.read_log(after_position=0, limit=100_000) if one.topic == LeaseReduced.TOPIC
    ]
    assert len(given_back) >= ROUNDS


def test_credit_that_is_held_elsewhere_is_refused_once_everybody_answered(
    database_url: str, store: PostgresEventStore
) -> None:
    """The refusal tells what could be had; what is held stays with its request, which is charged."""
    account_id = new_account(store, 1_000)
    with two_books(database_url, account_id) as (first, second):
        assert first.ask("hold mine 600") == ["held"]
        assert second.ask("hold theirs 401") == ["refused", "400"]
        assert second.ask("hold theirs 400") == ["held"]
        assert first.ask("charge mine 600") == ["charged"]
        assert second.ask("charge theirs 400") == ["charged"]
        first.end()
        second.end()
    assert require_sound(store) == 1_000


def test_a_storm_on_two_processes_is_served_as_far_as_it_is_paid_for(
    database_url: str, store: PostgresEventStore
) -> None:
    """64 requests at once, money for 10, each charged whole: exactly 10 are held, and never more, nor refused too early."""
    account_id = new_account(store, PAID_FOR * 50)
    with two_books(database_url, account_id) as books:
        for number in range(CLIENTS // 2):
            for book in books:
                book.send(f"hold {number} 50")
        answers = [(book, book.answer()) for book in books for _ in range(CLIENTS // 2)]
        held = [(book, answer[0]) for book, answer in answers if answer[1] == "held"]
        assert len(held) == PAID_FOR
        assert {answer[1] for _, answer in answers} == {"held", "refused"}
        for book, request in held:
            assert book.ask(f"charge {request} 50") == ["charged"]
        for book in books:
            book.end()
    assert require_sound(store) == PAID_FOR * 50


def test_a_storm_on_a_budget_is_served_as_far_as_it_goes(
    database_url: str, store: PostgresEventStore
) -> None:
    """64 requests at once, credit for all, a budget for 10: exactly 10 are held, in either process."""
    account_id = new_account(store, 1_000_000)
    with two_books(database_url, account_id) as books:
        for number in range(CLIENTS // 2):
            for book in books:
                book.send(f"hold {number} 50 {PAID_FOR * 50}")
        answers = [(book, book.answer()) for book in books for _ in range(CLIENTS // 2)]
        held = [(book, answer[0]) for book, answer in answers if answer[1] == "held"]
        assert len(held) == PAID_FOR
        assert {answer[1] for _, answer in answers} == {"held", "over"}
        for book, request in held:
            assert book.ask(f"charge {request} 50") == ["charged"]
        for book in books:
            book.end()
    assert require_sound(store) == PAID_FOR * 50


def test_an_idle_share_of_a_budget_serves_the_other_process(
    database_url: str, store: PostgresEventStore
) -> None:
    """As credit does: the whole budget lies in one process, and the other gets it, in every round."""
    account_id = new_account(store, 1_000_000)
    with two_books(database_url, account_id) as books:
        for number in range(ROUNDS):
            holder, asker = books[number % 2], books[1 - number % 2]
            left_nano = 1_000 - number
            assert holder.ask(f"hold idle{number} {left_nano} 1000") == ["held"]
            assert holder.ask(f"release idle{number}") == ["released"]
            assert asker.ask(f"hold wanted{number} {left_nano} 1000") == ["held"]
            assert asker.ask(f"charge wanted{number} 1") == ["charged"]
        for book in books:
            book.end()
    assert require_sound(store) == ROUNDS


def test_what_a_killed_process_charged_to_a_budget_is_spent_and_nothing_else(
    database_url: str, store: PostgresEventStore
) -> None:
    """It charged 30, held 20 and is killed; once its lease is fenced, 70 of 100 are left to the nano-credit."""
    account_id = new_account(store, 1_000_000)
    with two_books(database_url, account_id) as (first, second):
        assert first.ask("hold a 100 100") == ["held"]
        assert first.ask("charge a 30") == ["charged"]
        assert first.ask("hold b 20 100") == ["held"]
        first.kill()
        (lease,) = load_wallet(store, account_id).wallet.leases.values()
        fence_lease(
            store,
            account_id=account_id,
            lease_id=lease.lease_id,
            by=Owner(uuid7(), 1),
            reason="test",
            now_us=1,
        )
        assert second.ask("hold c 70 100") == ["held"]
        assert second.ask("charge c 70") == ["charged"]
        assert second.ask("hold d 1 100") == ["over", "0"]
        second.end()
    assert require_sound(store) == 100
