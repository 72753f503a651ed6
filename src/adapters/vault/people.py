"""The tables `people` and `people_recovery_codes`."""

from collections.abc import Sequence
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from psycopg.errors import UniqueViolation

from adapters.vault.master_keys import MasterKeys
from adapters.vault.sealing import Sealer
from adapters.vault.session import Pool, transaction
from application.people.ports import Factors, Person, Theme
from domain.refusal import AlreadyExists

_PERSON: Final = """
    SELECT person_id, password_hash, totp_sealed IS NOT NULL, locale, zone, theme, confirmed_us, notices_seen_us
    FROM people WHERE """
_PUT: Final = """
    INSERT INTO people (person_id, email_hash, password_hash) VALUES (%s, %s, %s)
    ON CONFLICT (person_id) DO UPDATE
        SET email_hash = excluded.email_hash, password_hash = excluded.password_hash,
            confirmed_us = CASE WHEN people.email_hash = excluded.email_hash THEN people.confirmed_us END"""
_CONFIRM: Final = """
    UPDATE people SET confirmed_us = coalesce(confirmed_us, %s) WHERE person_id = %s AND email_hash = %s"""
_NOW: Final = "SELECT email_hash, confirmed_us FROM people WHERE person_id = %s FOR UPDATE"
_MOVE: Final = "UPDATE people SET email_hash = %s, confirmed_us = %s WHERE person_id = %s"
_FACTORS: Final = """
    SELECT person_id, totp_sealed IS NOT NULL, (SELECT count(*) FROM passkeys WHERE passkeys.person_id = people.person_id)
    FROM people WHERE person_id = ANY(%s)"""
_STALE: Final = """
    SELECT person_id, totp_sealed FROM people
    WHERE totp_sealed IS NOT NULL AND substring(totp_sealed FROM 1 FOR %s) <> %s
    ORDER BY person_id LIMIT %s FOR UPDATE"""


class PostgresPeople:
    """See `application.people.ports.People`. The pool belongs to the caller."""

    def __init__(self, pool: Pool, keys: MasterKeys) -> None:
        self._pool = pool
        self._sealer = Sealer(keys)

    def by_email(self, email_hash: bytes) -> Person | None:
        return self._person("email_hash = %s", email_hash)

    def get(self, person_id: UUID) -> Person | None:
        return self._person("person_id = %s", person_id)

    def put(self, person_id: UUID, *, email_hash: bytes, password_hash: str) -> None:
        try:
            with transaction(self._pool) as connection:
                connection.execute(_PUT, (person_id, email_hash, password_hash))
        except UniqueViolation:
            raise AlreadyExists("person", "with this address") from None

    def set_password(self, person_id: UUID, password_hash: str) -> None:
        self._execute("UPDATE people SET password_hash = %s WHERE person_id = %s", password_hash, person_id)

    def confirm(self, person_id: UUID, *, email_hash: bytes, now_us: int) -> bool:
        return self._execute(_CONFIRM, now_us, person_id, email_hash) == 1

    def move(self, person_id: UUID, *, email_hash: bytes, now_us: int) -> bytes | None:
        try:
            with transaction(self._pool) as connection:
                row = connection.execute(_NOW, (person_id,)).fetchone()
                connection.execute(_MOVE, (email_hash, now_us, person_id))
        except UniqueViolation:
            raise AlreadyExists("person", "with this address") from None
        return None if row is None or row[1] is None else bytes(row[0])

    def set_preferences(
        self, person_id: UUID, *, locale: str | None, zone: str | None, theme: Theme | None
    ) -> None:
        statement = "UPDATE people SET locale = %s, zone = %s, theme = %s WHERE person_id = %s"
        self._execute(statement, locale, zone, theme, person_id)

    def delete(self, person_id: UUID) -> None:
        self._execute("DELETE FROM people WHERE person_id = %s", person_id)

    def factors(self, person_ids: Sequence[UUID]) -> dict[UUID, Factors]:
        with transaction(self._pool) as connection:
            rows = connection.execute(_FACTORS, (list(person_ids),)).fetchall()
        return {row[0]: Factors(has_totp=row[1], passkeys=row[2]) for row in rows}

    def set_notices_seen(self, person_id: UUID, now_us: int) -> None:
        self._execute("UPDATE people SET notices_seen_us = %s WHERE person_id = %s", now_us, person_id)

    def totp_seed(self, person_id: UUID) -> str | None:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT totp_sealed FROM people WHERE person_id = %s AND totp_sealed IS NOT NULL",
                (person_id,),
            ).fetchone()
        return None if row is None else self._sealer.open(row[0], place=_place(person_id)).decode()

    def set_totp(
        self, person_id: UUID, seed: str | None, *, step: int = 0, recovery_hashes: Sequence[bytes] = ()
    ) -> None:
        sealed = None if seed is None else self._sealer.seal(seed.encode(), place=_place(person_id))
        with transaction(self._pool) as connection:
            connection.execute(
                "UPDATE people SET totp_sealed = %s, totp_step = %s WHERE person_id = %s",
                (sealed, step, person_id),
            )
            _put_codes(connection, person_id, recovery_hashes)

    def set_recovery_codes(self, person_id: UUID, hashes: Sequence[bytes]) -> None:
        with transaction(self._pool) as connection:
            _put_codes(connection, person_id, hashes)

    def recovery_codes_left(self, person_id: UUID) -> int:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT count(*) FROM people_recovery_codes WHERE person_id = %s", (person_id,)
            ).fetchone()
        assert row is not None, "a count is a row"
        return int(row[0])

    def use_step(self, person_id: UUID, step: int) -> bool:
        statement = "UPDATE people SET totp_step = %s WHERE person_id = %s AND totp_step < %s"
        return self._execute(statement, step, person_id, step) == 1

    def use_recovery_code(self, person_id: UUID, code_hash: bytes) -> bool:
        statement = "DELETE FROM people_recovery_codes WHERE person_id = %s AND code_hash = %s"
        return self._execute(statement, person_id, code_hash) == 1

    def _person(self, condition: str, value: object) -> Person | None:
        with transaction(self._pool) as connection:
            row = connection.execute(f"{_PERSON}{condition}", (value,)).fetchone()
        if row is None:
            return None
        person_id, password_hash, has_totp, locale, zone, theme, confirmed_us, notices_seen_us = row
        return Person(
            person_id=person_id,
            password_hash=password_hash,
            has_totp=has_totp,
            locale=locale,
            zone=zone,
            theme=cast("Theme | None", theme),
            confirmed_us=confirmed_us,
            notices_seen_us=notices_seen_us,
        )

    def _execute(self, statement: Any, *values: object) -> int:
        with transaction(self._pool) as connection:
            return connection.execute(statement, values).rowcount


def _put_codes(connection: psycopg.Connection[Any], person_id: UUID, hashes: Sequence[bytes]) -> None:
    connection.execute("DELETE FROM people_recovery_codes WHERE person_id = %s", (person_id,))
    connection.execute(
        "INSERT INTO people_recovery_codes (person_id, code_hash) SELECT %s, unnest(%s::bytea[])",
        (person_id, list(hashes)),
    )


def reseal_totp_seeds(connection: psycopg.Connection[Any], sealer: Sealer, batch_rows: int) -> int:
    """Seal some seeds with the first master key; returns how many, 0 when none is left."""
    head = sealer.head
    rows = connection.execute(_STALE, (len(head), head, batch_rows)).fetchall()
    for person_id, sealed in rows:
        place = _place(person_id)
        connection.execute(
            "UPDATE people SET totp_sealed = %s WHERE person_id = %s",
            (sealer.seal(sealer.open(sealed, place=place), place=place), person_id),
        )
    return len(rows)


def _place(person_id: UUID) -> bytes:
    return b"people.totp_sealed|" + person_id.bytes
