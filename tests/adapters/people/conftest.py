"""A database with the schema, for the tables of people."""

import base64
from collections.abc import Iterator

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from adapters.vault.master_keys import MasterKeys, parse_master_keys
from adapters.vault.people import PostgresPeople
from tests.databases import migrated_template

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def keys() -> MasterKeys:
    return parse_master_keys(f"k1:{KEY}")


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool[psycopg.Connection]]:
    with ConnectionPool(database_url, kwargs={"autocommit": True}, max_size=8) as opened:
        yield opened


@pytest.fixture
def people(pool: ConnectionPool[psycopg.Connection], keys: MasterKeys) -> PostgresPeople:
    return PostgresPeople(pool, keys)
