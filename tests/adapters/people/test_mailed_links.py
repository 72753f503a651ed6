"""Links that were mailed, on a real table: found by nothing but themselves, and used once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg_pool import ConnectionPool

from adapters.people.mailed_links import PostgresMailedLinks
from adapters.vault.people import PostgresPeople
from application.people.ports import LinkKeys, MailedLink, Purpose
from application.vault import VaultDamaged

Pool = ConnectionPool[psycopg.Connection]


def keys(number: int) -> LinkKeys:
    return LinkKeys(bytes([number]) * 32, bytes([number + 100]) * 32)


def link(purpose: Purpose = "sign-up", *, email: str = "a@b.example", expires_us: int = 100) -> MailedLink:
    return MailedLink(
        purpose=purpose, email=email, email_hash=b"e" * 32, person_id=None, expires_us=expires_us
    )


@pytest.fixture
def links(pool: Pool) -> PostgresMailedLinks:
    return PostgresMailedLinks(pool)


def test_a_link_is_used_once_in_parallel_too(links: PostgresMailedLinks) -> None:
    """Of many who follow it at the same time one gets through; looking uses nothing up."""
    links.put(keys(1), link(), now_us=0)
    assert links.find(keys(1), "sign-up", now_us=0) == link()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: links.use(keys(1), "sign-up", now_us=0), range(8)))
    assert [one for one in found if one is not None] == [link()]


def test_a_link_is_for_one_purpose_and_one_time(links: PostgresMailedLinks) -> None:
    """Neither another purpose nor the end of its time opens it."""
    links.put(keys(1), link(), now_us=0)
    assert links.use(keys(1), "reset", now_us=0) is None
    assert links.use(keys(1), "sign-up", now_us=100) is None
    assert links.use(keys(2), "sign-up", now_us=0) is None
    assert links.use(keys(1), "sign-up", now_us=99) is not None


def test_a_newer_link_replaces_the_older(links: PostgresMailedLinks, pool: Pool) -> None:
    """Of the same purpose and address; what is over is cleaned away with the next."""
    links.put(keys(1), link(), now_us=0)
    links.put(keys(2), link(), now_us=0)
    links.put(keys(3), link("reset", expires_us=300), now_us=0)
    assert links.find(keys(1), "sign-up", now_us=0) is None
    assert links.find(keys(2), "sign-up", now_us=0) is not None
    links.put(keys(4), link("confirm", expires_us=300), now_us=200)
    with pool.connection() as connection:
        assert connection.execute("SELECT count(*) FROM mailed_links").fetchone() == (2,)


def test_links_of_a_person_end_without_those_of_others(
    links: PostgresMailedLinks, people: PostgresPeople
) -> None:
    """Two may have one to the same address; what ends sooner is left where only later ones are to end."""
    one, two = UUID(int=1), UUID(int=2)
    for person_id in (one, two):
        people.put(person_id, email_hash=person_id.bytes * 2, password_hash="hash")

    def to(person_id: UUID, *, expires_us: int = 100) -> MailedLink:
        return msgspec.structs.replace(link("take-back", expires_us=expires_us), person_id=person_id)

    links.put(keys(1), to(one), now_us=0)
    links.put(keys(2), to(two), now_us=0)
    links.drop(two, ("take-back",), from_us=101)
    links.drop(two, ("address",))
    assert links.find(keys(2), "take-back", now_us=0) == to(two)
    links.drop(two, ("address", "take-back"), from_us=100)
    assert links.find(keys(2), "take-back", now_us=0) is None
    assert links.find(keys(1), "take-back", now_us=0) == to(one)


def test_the_table_names_nobody(links: PostgresMailedLinks, pool: Pool) -> None:
    """The address opens with what the link gives and with nothing else."""
    links.put(keys(1), link(email="canary@b.example"), now_us=0)
    with pool.connection() as connection:
        row = connection.execute("SELECT m::text FROM mailed_links AS m").fetchone()
    assert row is not None
    assert "canary" not in row[0]
    assert b"canary".hex() not in row[0]
    with pytest.raises(VaultDamaged):
        links.find(LinkKeys(keys(1).hash, b"x" * 32), "sign-up", now_us=0)
