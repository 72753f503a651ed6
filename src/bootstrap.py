"""The composition root: the one place that knows which adapter stands behind which port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from adapters.archive.files import ArchiveDirectory
from adapters.bodies.store import PostgresBodies
from adapters.call_back import NotifyCallBack
from adapters.checkout.configured import ProviderSettings, configured
from adapters.checkout.inbox import PostgresWebhookInbox
from adapters.eventstore.migrations import Migration
from adapters.eventstore.migrations import migrate as run_migrations
from adapters.eventstore.store import PostgresEventStore
from adapters.hooks.tables import PostgresHookQueue
from adapters.mail.outbox import PostgresOutbox
from adapters.people.browsers import PostgresBrowsers
from adapters.people.codes import TotpCodes
from adapters.people.mailed_links import PostgresMailedLinks
from adapters.people.passwords import ArgonPasswords
from adapters.people.sessions import PostgresFailures, PostgresSessions
from adapters.presence import PostgresPresence
from adapters.sealing.files import LocalFiles
from adapters.sealing.keys import parse_seal_keys
from adapters.sealing.witnesses import parse_witnesses
from adapters.upstream.probing import BlockingProbe
from adapters.vault.master_keys import parse_master_keys
from adapters.vault.names import PostgresNameBook
from adapters.vault.people import PostgresPeople
from adapters.vault.personal_data import PostgresPersonalData
from adapters.vault.postgres import PostgresVault
from adapters.vault.sealing import secret_hasher
from application.checkout.ports import Checkouts
from application.clock import Clock, SystemClock, SystemIds
from application.command import Ports
from application.ledger.reaper import Reaper
from application.people.ports import PeoplePorts
from application.projections import ReadableLog
from application.receipts.issuing import Receipts
from application.sealing.directory import SealedDirectory
from application.sealing.reading import SealedLog
from application.sealing.witnessing import WitnessAddress
from domain.catalogue.addresses import Allowlist
from domain.ledger.events import Owner
from projections.generations import install
from projections.outdated import ReadingPool, versions_of
from projections.registry import all_projections
from projections.request_log import RequestReader
from projections.trial_balance import BooksReader
from settings import BadSetting, Settings

Pool = ConnectionPool[psycopg.Connection[Any]]


def migrate(settings: Settings) -> list[Migration]:
    """Bring the database's schema up to date, the tables of missing read models too; what was applied."""
    applied = run_migrations(settings.database_url)
    with psycopg.connect(settings.database_url) as connection:
        install(connection, all_projections())
    return applied


def open_pool(settings: Settings, *, size_max: int = 4) -> Pool:
    """Connections for low-rate work; the caller closes the pool."""
    return ReadingPool(
        settings.database_url,
        versions=versions_of(all_projections()),
        kwargs={
            "autocommit": True,
            "application_name": "tokenok",
            "connect_timeout": 5,
            "options": "-c statement_timeout=15000 -c lock_timeout=5000",
        },
        min_size=0,
        max_size=size_max,
        timeout=5,
        open=True,
    )


def archive_of(settings: Settings) -> ArchiveDirectory:
    """Where the parts of the log are that have left the database."""
    return ArchiveDirectory(Path(settings.archive_dir) if settings.archive_dir else None)


def open_store(
    settings: Settings, *, application_name: str = "tokenok-store", connections_max: int = 4
) -> PostgresEventStore:
    """The log, wherever a part of it is; the caller closes it."""
    return PostgresEventStore(
        settings.database_url,
        application_name=application_name,
        connections_max=connections_max,
        archive=archive_of(settings),
    )


def make_ports(settings: Settings, *, store: PostgresEventStore, pool: Pool, clock: Clock) -> Ports:
    """What commands work with.

    Raises:
        BadMasterKey: the master key is missing or malformed.
        VaultUnavailable, VaultDamaged, MasterKeyMissing: the root secret cannot be read.
    """
    keys = parse_master_keys(settings.tokenok_master_key)
    vault, personal = PostgresVault(pool, keys), PostgresPersonalData(pool, keys)
    allowlist = Allowlist.parse(settings.allow_private_upstreams)
    return Ports(
        store=store,
        clock=clock,
        ids=SystemIds(),
        vault=vault,
        names=PostgresNameBook(pool),
        personal=personal,
        bodies=PostgresBodies(pool, personal),
        hasher=secret_hasher(vault.root_secret()),
        books=BooksReader(pool),
        allowlist=allowlist,
        requests=RequestReader(pool),
        probe=BlockingProbe(allowlist),
        approval_nano=settings.adjustment_approval_nano,
        prices_need_approval=settings.prices_need_approval == "on",
        checkouts=make_checkouts(settings),
        inbox=PostgresWebhookInbox(pool, personal),
        pages_url=(settings.console_url or settings.public_url).rstrip("/"),
        guesses=PostgresFailures(pool),
        hooks=PostgresHookQueue(pool),
        hook_allowlist=Allowlist.parse(settings.allow_private_webhooks),
        public_url=settings.public_url.rstrip("/"),
        outbox=PostgresOutbox(pool, personal),
        mail_on=bool(settings.smtp_url or settings.mail_dir),
        call_back=NotifyCallBack(pool),
    )


def make_checkouts(settings: Settings) -> Checkouts:
    """The payment providers whose secrets are set.

    Raises:
        BadSetting: one has half of its settings, or something that can be no secret.
    """
    try:
        names = ProviderSettings.__struct_fields__
        return configured(ProviderSettings(**{name: getattr(settings, name) for name in names}))
    except ValueError as error:
        raise BadSetting(str(error)) from None


def make_people(settings: Settings, pool: Pool) -> PeoplePorts:
    """What proves who somebody is."""
    return PeoplePorts(
        people=PostgresPeople(pool, parse_master_keys(settings.tokenok_master_key)),
        sessions=PostgresSessions(pool),
        failures=PostgresFailures(pool),
        passwords=ArgonPasswords(),
        codes=TotpCodes(),
        links=PostgresMailedLinks(pool),
        browsers=PostgresBrowsers(pool),
    )


def sealed_directory(settings: Settings) -> SealedDirectory:
    """The sealed log's directory; nothing is read or made yet."""
    return SealedDirectory(LocalFiles(Path(settings.seal_dir)))


def sealed_log(settings: Settings, *, log: ReadableLog, clock: Clock) -> SealedLog | None:
    """The log as it was signed; none where `SEAL_DIR` and a key, which may be the public one, are not set.

    Raises:
        BadKey: `SEAL_KEY` cannot be used.
    """
    if not settings.seal_dir or not settings.seal_key:
        return None
    trust = parse_seal_keys(settings.seal_key).trust
    keys = tuple(one.key for one in witnesses_of(settings))
    return SealedLog(log=log, directory=sealed_directory(settings), trust=trust, clock=clock, witnesses=keys)


def witnesses_of(settings: Settings) -> tuple[WitnessAddress, ...]:
    """The witnesses of the sealed log.

    Raises:
        BadKey: `WITNESSES` cannot be used.
    """
    return parse_witnesses(settings.witnesses, allowlist=Allowlist.parse(settings.allow_private_upstreams))


def make_receipts(
    settings: Settings, *, store: PostgresEventStore, pool: Pool, sealed: SealedLog | None
) -> Receipts:
    """Receipts, unsigned where `RECEIPT_KEY` has no private key.

    Raises:
        BadKey: `RECEIPT_KEY` cannot be used.
    """
    signer = parse_seal_keys(settings.receipt_key).signer if settings.receipt_key else None
    return Receipts(requests=RequestReader(pool), store=store, sealed=sealed, signer=signer)


@contextmanager
def ports_of(settings: Settings) -> Iterator[Ports]:
    """Ports for one command or a few, such as on the command line."""
    with open_store(settings) as store, open_pool(settings) as pool:
        yield make_ports(settings, store=store, pool=pool, clock=SystemClock())


@contextmanager
def reaper_of(settings: Settings) -> Iterator[Reaper]:
    """A reaper for a process that is no gateway."""
    clock, presence = (
        SystemClock(),
        PostgresPresence(settings.database_url, lease_valid_s=settings.lease_valid_s),
    )
    try:
        with open_store(settings, application_name="tokenok-reaper") as store:
            yield Reaper(
                store=store,
                presence=presence,
                clock=clock,
                me=Owner(SystemIds().new(), 0),
                lease_valid_s=settings.lease_valid_s,
            )
    finally:
        presence.close()
