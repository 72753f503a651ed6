"""A ledger's history in Postgres, and the archive that takes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.archive.files import ArchiveDirectory
from adapters.eventstore.catalogue import PostgresArchiveCatalogue
from adapters.eventstore.store import PostgresEventStore
from tests.adapters.archive.archive_world import ArchiveWorld
from tests.databases import migrated_template


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[ArchiveWorld]:
    """An empty log and an empty archive."""
    files = ArchiveDirectory(tmp_path / "archive")
    with PostgresEventStore(database_url, archive=files) as store:
        yield ArchiveWorld(
            url=database_url,
            path=tmp_path / "archive",
            store=store,
            files=files,
            catalogue=PostgresArchiveCatalogue(database_url),
        )
