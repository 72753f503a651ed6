"""The shared server fixtures themselves."""

import psycopg
import redis


def test_each_test_gets_an_empty_database(database_url: str) -> None:
    """A database of its own: no table is left from another test."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        connection.execute("CREATE TABLE left_behind (id int)")
    assert found == (0,)


def test_the_next_test_gets_another_one(database_url: str) -> None:
    """Nothing that the test above made is here, in whichever order they run."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE left_behind (id int)")


def test_redis_answers(redis_url: str) -> None:
    """The session's Valkey takes commands."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()
