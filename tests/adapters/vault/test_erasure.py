"""P23: after an erasure the log, its lines and every figure are what they were, and the person is nowhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from structlog.testing import capture_logs

from adapters.bodies.store import PostgresBodies
from adapters.eventstore.store import PostgresEventStore
from adapters.sealing import ed25519
from adapters.sealing.book import PostgresCheckpointBook
from adapters.sealing.files import LocalFiles
from adapters.vault import PostgresNameBook, PostgresPersonalData, PostgresVault, secret_hasher
from adapters.vault.master_keys import MasterKeys
from adapters.vault.session import Pool
from application.accounts import erase_account, open_account, set_contact
from application.clock import SystemClock, SystemIds
from application.command import Ports
from application.keys import issue_key
from application.sealing.directory import SealedDirectory
from application.sealing.reading import SealedLog
from application.sealing.sealer import LogSealer
from application.sealing.trust import Trust
from application.verify import render_text, verify
from domain.catalogue.addresses import Allowlist
from domain.fact import SYSTEM
from domain.sealing.leaf import leaf
from domain.sealing.proof import read_proof
from domain.sealing.tree import leaf_hash
from domain.topics import REGISTRY
from projections.registry import all_projections
from projections.request_log import RequestReader
from projections.service import ProjectionService
from projections.snapshot import ReadModelReader
from projections.trial_balance import BooksReader
from tests.databases import migrated_template
from tests.fakes import FakeProbe, MemoryFailures, MemoryHooks, MemoryInbox, MemoryOutbox
from tests.histories import history

KEYS = MasterKeys({"k": b"k" * 31 + b"1"})
SIGNER = ed25519.Ed25519Signer("example.com/log", bytes(range(32)))
NAME, EMAIL, LAPTOP = "Ada Canary", "ada@canary.example", "Laptop of A. Canary"
EVERYTHING = 100_000


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def ports(database_url: str, pool: Pool) -> Iterator[Ports]:
    vault = PostgresVault(pool, KEYS)
    with PostgresEventStore(database_url) as store:
        yield Ports(
            store=store,
            clock=SystemClock(),
            ids=SystemIds(),
            vault=vault,
            names=PostgresNameBook(pool),
            personal=PostgresPersonalData(pool, KEYS),
            bodies=PostgresBodies(pool, PostgresPersonalData(pool, KEYS)),
            hasher=secret_hasher(vault.root_secret()),
            books=BooksReader(pool),
            allowlist=Allowlist.parse(""),
            requests=RequestReader(pool),
            probe=FakeProbe(),
            approval_nano=100,
            inbox=MemoryInbox(),
            outbox=MemoryOutbox(),
            guesses=MemoryFailures(),
            hooks=MemoryHooks(),
        )


def test_an_erasure_changes_no_figure_and_leaves_no_trace(
    ports: Ports, pool: Pool, database_url: str
) -> None:
    """Lines of the export, read models and verification come out the same; no table and no log line names the person."""
    with capture_logs() as logged:
        ports.store.append(history(23, steps=300))
        account_id = customer(ports)
        before, acts_before = (lines(ports), figures(ports, pool)), acts(pool)
        assert all(canary.encode() in dump(database_url) for canary in (NAME, LAPTOP))

        erase = erase_account.EraseAccount(account_id=account_id, reason="asked for")
        certificate = erase_account.handle(erase, actor=SYSTEM, ports=ports)

        after = lines(ports), figures(ports, pool)
    assert after[1] == before[1]
    assert acts(pool)[: len(acts_before)] == acts_before
    assert after[0][: len(before[0])] == before[0]
    assert after[0][-1] == certificate.event.encode()
    left = dump(database_url) + b"".join(after[0]) + repr(logged).encode()
    assert not [canary for canary in (NAME, EMAIL, LAPTOP) if canary.encode() in left]


def test_every_proof_still_verifies(ports: Ports, pool: Pool, tmp_path: Path) -> None:
    """One that was given before holds, the tree is the same one grown, and the certificate can be proved from it."""
    sealer, sealed = sealing_of(ports, pool, tmp_path)
    account_id = customer(ports)
    sealer.run_once()
    contact = ports.store.read_stream(account_id)[-1]
    given, old = read_proof(sealed.prove(contact.position).proof.encode()), sealed.status()

    erase = erase_account.EraseAccount(account_id=account_id, reason="asked for")
    certificate = erase_account.handle(erase, actor=SYSTEM, ports=ports)
    sealer.run_once()

    (stored,) = [one for one in ports.store.read_stream(account_id) if one.position == contact.position]
    given.check(leaf_hash(leaf(stored)), [SIGNER.public], ed25519.verify)
    grown = sealed.consistency(old_size=old.size)
    assert (grown.old_root, grown.size > grown.old_size) == (old.root, True)
    proved = sealed.prove(certificate.position)
    assert proved.leaf == certificate.event
    certified = bytes.fromhex(certificate.leaf_sha256)
    read_proof(proved.proof.encode()).check(certified, [SIGNER.public], ed25519.verify)


def sealing_of(ports: Ports, pool: Pool, root: Path) -> tuple[LogSealer, SealedLog]:
    """Who seals this log, and the log as it is sealed."""
    directory, trust = SealedDirectory(LocalFiles(root)), Trust((SIGNER.public,), ed25519.verify)
    sealer = LogSealer(
        log=ports.store,
        directory=directory,
        book=PostgresCheckpointBook(pool),
        signer=SIGNER,
        trust=trust,
    )
    return sealer, SealedLog(log=ports.store, directory=directory, trust=trust, clock=ports.clock)


def customer(ports: Ports) -> UUID:
    """Someone with all that we keep of a person."""
    account_id = open_account.handle(open_account.OpenAccount(name=NAME), actor=SYSTEM, ports=ports).id
    contact = set_contact.SetContact(account_id=account_id, contact_name=NAME, email=EMAIL)
    set_contact.handle(contact, actor=SYSTEM, ports=ports)
    issue_key.handle(issue_key.IssueKey(account_id=account_id, name=LAPTOP), actor=SYSTEM, ports=ports)
    return account_id


def lines(ports: Ports) -> list[bytes]:
    """What an export of the log consists of."""
    return [leaf(one) for one in ports.store.read_log(after_position=0, limit=EVERYTHING)]


def figures(ports: Ports, pool: Pool) -> list[object]:
    """Every read model, built anew from the log, by its hash; and whether the log's own checks agree.

    But for the audit log, which the erasure itself is added to: see `acts`.
    """
    service = ProjectionService(
        pool=pool,
        store=ports.store,
        registry=REGISTRY,
        projections=all_projections(),
        clock=ports.clock,
    )
    hashes = [
        (name, service.rebuild(name).sha256, service.content_hash(name).sha256) for name in service.names()
    ]
    hashes = [one for one in hashes if one[0] != "audit_log"]
    report = verify(ports.store, REGISTRY, ReadModelReader(pool))
    assert report.ok, render_text(report)
    return [*hashes, report.figures.requests, report.figures.requests_compared]


def acts(pool: Pool) -> list[tuple[Any, ...]]:
    """The audit log, oldest first."""
    with pool.connection() as connection:
        return connection.execute("SELECT * FROM audit_log ORDER BY position").fetchall()


def dump(database_url: str) -> bytes:
    """Every row of every table as it lies there, so that nothing hides behind an encoding."""
    rows: list[bytes] = []
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for table in tables:
            copy = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)").format(sql.Identifier(*table))
            with connection.cursor().copy(copy) as stream:
                rows += [bytes(part) for part in stream]
    return b"".join(rows)
