"""P19: numbers of a series are 1..n, on a real database, with many processes, some of which are killed."""

import multiprocessing
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from adapters.eventstore.store import PostgresEventStore
from application.command import Contended, Ports
from application.invoicing.streams import load_seller
from domain.invoicing.sellers import NumberTaken
from domain.invoicing.totals import CreditAboveInvoice
from domain.topics import REGISTRY
from tests.application.invoicing.world import SELLER, credit, document, furnish, issue
from tests.databases import migrated_template
from tests.fakes import memory_ports

CLERKS = 8


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


def ports_on(database_url: str) -> Ports:
    return replace(memory_ports(), store=PostgresEventStore(database_url, connections_max=CLERKS))


@pytest.fixture
def ports(database_url: str) -> Iterator[Ports]:
    made = ports_on(database_url)
    assert isinstance(made.store, PostgresEventStore)
    with made.store:
        yield furnish(made)


def numbers(ports: Ports, kind: str = "invoice") -> list[NumberTaken]:
    series_id = load_seller(ports.store, SELLER).newest(kind).series_id  # type: ignore[arg-type]  # literals
    taken = [REGISTRY.decode(one.topic, one.state) for one in ports.store.read_stream(series_id)]
    return [one for one in taken if isinstance(one, NumberTaken)]


def insist(ports: Ports, document_id: UUID) -> None:
    """As a job would: again, until it is there."""
    while True:
        try:
            issue(ports, invoice_id=document_id)
        except Contended:
            continue
        return


def test_many_at_once_leave_no_gap(ports: Ports) -> None:
    """Each document has a number and each number a document, also where several issue the same one."""
    wanted = [uuid4() for _ in range(3 * CLERKS)]
    with ThreadPoolExecutor(CLERKS) as clerks:
        list(clerks.map(lambda one: insist(ports, one), wanted + wanted[:CLERKS]))
    taken = numbers(ports)
    assert [one.number for one in taken] == list(range(1, len(wanted) + 1))
    assert {one.document_id for one in taken} == set(wanted)
    assert all(document(ports, one.document_id).issued.number == one.number for one in taken)


def test_many_at_once_credit_no_more_than_the_invoice(ports: Ports) -> None:
    """Of parts that are more than it together, only as many as fit."""
    invoice = issue(ports, 10000)

    def part(_number: int) -> int:
        try:
            return document(ports, credit(ports, invoice, 3000)).issued.total_minor
        except (CreditAboveInvoice, Contended):
            return 0

    with ThreadPoolExecutor(CLERKS) as clerks:
        credited = sum(clerks.map(part, range(CLERKS)))
    assert credited == 9000
    assert [one.number for one in numbers(ports, "credit_note")] == [1, 2, 3]


def issue_for_ever(database_url: str, seed: int) -> None:
    """A process that furnishes its own vault, which is in memory, and issues until it is killed."""
    ports = furnish(ports_on(database_url))
    ids = random.Random(seed)
    while True:
        insist(ports, UUID(int=ids.getrandbits(128)))


def test_processes_that_are_killed_leave_no_gap(database_url: str, ports: Ports) -> None:
    """Whatever moment they die in: a number is stored with its document, or not at all."""
    spawn = multiprocessing.get_context("spawn")
    for seed in range(2):
        pair = [spawn.Process(target=issue_for_ever, args=(database_url, 2 * seed + one)) for one in range(2)]
        for process in pair:
            process.start()
        before, deadline = len(numbers(ports)), time.monotonic() + 120
        while len(numbers(ports)) < before + 5:
            assert time.monotonic() < deadline
        for process in pair:
            process.kill()
            process.join()
    issue(ports)
    taken = numbers(ports)
    assert [one.number for one in taken] == list(range(1, len(taken) + 1))
    assert all(document(ports, one.document_id).issued.number == one.number for one in taken)
    assert len({one.document_id for one in taken}) == len(taken)
