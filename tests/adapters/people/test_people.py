"""The tables of people, and what is kept of secrets."""

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from uuid import UUID

import psycopg
import pyotp
import pytest
from argon2 import PasswordHasher
from psycopg_pool import ConnectionPool

from adapters.people.codes import TotpCodes
from adapters.people.passwords import ArgonPasswords
from adapters.people.sessions import IDLE_US, PostgresFailures, PostgresSessions
from adapters.vault.master_keys import MasterKeys, parse_master_keys
from adapters.vault.people import PostgresPeople
from adapters.vault.postgres import PostgresVault
from application.people.ports import Session, Stage
from domain.refusal import AlreadyExists
from tests.adapters.people.conftest import KEY

ONE, TWO = UUID(int=1), UUID(int=2)
Pool = ConnectionPool[psycopg.Connection]


def with_person(people: PostgresPeople, person_id: UUID = ONE) -> UUID:
    people.put(person_id, email_hash=person_id.bytes * 2, password_hash="hash")
    return person_id


def session(number: int, *, person_id: UUID = ONE, now_us: int = 0, stage: Stage = "full") -> Session:
    return Session(
        session_id=UUID(int=number),
        person_id=person_id,
        stage=stage,
        made_us=now_us,
        seen_us=now_us,
        expires_us=now_us + 10 * IDLE_US,
        address="192.0.2.1",
        agent="Browser",
    )


def test_an_address_is_one_persons(people: PostgresPeople) -> None:
    """The second is refused and stored nowhere; the first may change theirs."""
    with_person(people)
    with pytest.raises(AlreadyExists):
        people.put(TWO, email_hash=ONE.bytes * 2, password_hash="other")
    assert people.get(TWO) is None
    people.put(ONE, email_hash=b"n" * 32, password_hash="new")
    found = people.by_email(b"n" * 32)
    assert found is not None
    assert (found.person_id, found.password_hash) == (ONE, "new")
    assert people.by_email(ONE.bytes * 2) is None


def test_of_two_who_move_to_an_address_one_does(people: PostgresPeople) -> None:
    """The other keeps theirs; told is the address before, if it was confirmed."""
    with_person(people)
    with_person(people, TWO)
    people.confirm(ONE, email_hash=ONE.bytes * 2, now_us=5)

    def move(person_id: UUID) -> bytes | AlreadyExists | None:
        try:
            return people.move(person_id, email_hash=b"n" * 32, now_us=9)
        except AlreadyExists as refusal:
            return refusal

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(move, (ONE, TWO))
    found = people.by_email(b"n" * 32)
    assert found is not None
    assert found.confirmed_us == 9
    assert isinstance(second if found.person_id == ONE else first, AlreadyExists)
    assert first == ONE.bytes * 2 if found.person_id == ONE else second is None
    assert move(UUID(int=9)) is None


def test_a_step_counts_once_in_parallel_too(people: PostgresPeople) -> None:
    """Of many who send the same code at once, one gets in; an older code never again."""
    with_person(people)
    people.set_totp(ONE, "SEED")
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: people.use_step(ONE, 5), range(16)))
    assert won.count(True) == 1
    assert not people.use_step(ONE, 4)
    assert people.use_step(ONE, 6)


def test_a_recovery_code_works_once_and_for_one_person(people: PostgresPeople) -> None:
    """New ones make the earlier ones dead."""
    with_person(people)
    with_person(people, TWO)
    people.set_totp(ONE, "SEED", recovery_hashes=[b"a" * 32, b"b" * 32])
    assert not people.use_recovery_code(TWO, b"a" * 32)
    assert people.use_recovery_code(ONE, b"a" * 32)
    assert not people.use_recovery_code(ONE, b"a" * 32)
    people.set_totp(ONE, "SEED", recovery_hashes=[b"c" * 32])
    assert not people.use_recovery_code(ONE, b"b" * 32)


def test_a_seed_is_sealed_and_follows_the_master_key(people: PostgresPeople, pool: Pool) -> None:
    """It is not in the table in the clear, and a rotation of the master key takes it along."""
    with_person(people)
    people.set_totp(ONE, "PLAINSEED")
    with pool.connection() as connection:
        (sealed,) = connection.execute("SELECT totp_sealed FROM people").fetchone() or (b"",)
    assert b"PLAINSEED" not in sealed
    fresh = base64.b64encode(bytes(range(32, 64))).decode()
    PostgresVault(pool, parse_master_keys(f"k2:{fresh},k1:{KEY}")).rotate_master_key()
    moved = PostgresPeople(pool, parse_master_keys(f"k2:{fresh}"))
    assert moved.totp_seed(ONE) == "PLAINSEED"
    people.set_totp(ONE, None)
    assert people.totp_seed(ONE) is None


def test_a_session_is_found_by_its_hash_until_it_ends(pool: Pool, people: PostgresPeople) -> None:
    """By its own end, by idleness, or when it is closed; using it keeps it alive."""
    with_person(people)
    sessions = PostgresSessions(pool)
    sessions.open(session(1), secret_hash=b"1" * 32)
    assert sessions.find(b"2" * 32, now_us=1) is None
    assert sessions.find(b"1" * 32, now_us=IDLE_US - 1) is not None
    assert sessions.find(b"1" * 32, now_us=2 * IDLE_US - 2) is not None
    assert sessions.find(b"1" * 32, now_us=4 * IDLE_US) is None
    sessions.open(session(2, now_us=4 * IDLE_US), secret_hash=b"2" * 32)
    sessions.close(UUID(int=2), person_id=TWO)
    assert sessions.find(b"2" * 32, now_us=4 * IDLE_US + 1) is not None
    sessions.close(UUID(int=2), person_id=ONE)
    assert sessions.find(b"2" * 32, now_us=4 * IDLE_US + 1) is None


def test_all_other_sessions_can_be_ended(pool: Pool, people: PostgresPeople) -> None:
    """The list holds those alive of one person, without half-open ones."""
    with_person(people)
    with_person(people, TWO)
    sessions = PostgresSessions(pool)
    for number in (1, 2, 3):
        sessions.open(session(number), secret_hash=bytes([number]) * 32)
    sessions.open(session(4, stage="password"), secret_hash=b"4" * 32)
    sessions.open(session(5, person_id=TWO), secret_hash=b"5" * 32)
    assert {one.session_id.int for one in sessions.of(ONE, now_us=1)} == {1, 2, 3}
    sessions.close_all(ONE, but=UUID(int=2))
    assert {one.session_id.int for one in sessions.of(ONE, now_us=1)} == {2}
    assert sessions.find(b"4" * 32, now_us=1) is None
    assert sessions.of(TWO, now_us=1)


def test_failures_are_counted_in_windows(pool: Pool) -> None:
    """In parallel too; an old window counts nothing and the next failure begins another."""
    failures, bucket = PostgresFailures(pool), b"b" * 32

    def take(*, now_us: int, since_us: int) -> bool:
        return failures.take(bucket, most=10, now_us=now_us, since_us=since_us)

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: take(now_us=100, since_us=0), range(16)))
    assert taken.count(True) == 10
    assert not take(now_us=199, since_us=100)
    failures.give_back(bucket)
    assert take(now_us=199, since_us=100)
    assert not take(now_us=199, since_us=100)
    assert [take(now_us=200, since_us=150) for _ in range(11)].count(True) == 10
    failures.forget(bucket)
    assert take(now_us=200, since_us=150)


def test_a_password_is_checked_against_its_hash(keys: MasterKeys) -> None:
    """Without a hash, and with a damaged one, it is never right."""
    cheap = ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    made = cheap.make("right")
    assert "right" not in made
    assert cheap.check("right", made)
    assert not cheap.check("wrong", made)
    assert not cheap.check("the password of nobody", None)
    assert not cheap.check("right", "no hash")
    assert ArgonPasswords().is_outdated(made)
    assert not cheap.is_outdated(made)


def test_an_address_that_nobody_has_costs_the_same_work() -> None:
    """A hash is computed for it too: the time of an answer does not tell who is known."""

    class Counted(PasswordHasher):
        verified = 0

        def verify(self, *given: Any, **named: Any) -> Literal[True]:
            Counted.verified += 1
            return super().verify(*given, **named)

    passwords = ArgonPasswords(Counted(time_cost=1, memory_cost=8, parallelism=1))
    assert not passwords.check("wrong", passwords.make("right"))
    assert not passwords.check("wrong", None)
    assert Counted.verified == 2


def test_a_code_is_one_of_now_or_beside_it() -> None:
    """Half a minute early or late; what is none is looked at no further."""
    codes = TotpCodes()
    seed, step = codes.new_seed(), 1_000
    generator = pyotp.TOTP(seed)
    for beside in (-1, 0, 1):
        code = generator.generate_otp(step + beside)
        assert codes.step_of(seed, code, now_us=step * 30_000_000) == step + beside
    for wrong in (
        generator.generate_otp(step + 2),
        "",
        "12345",
        "1234567",
        "12345x",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
    ):
        assert codes.step_of(seed, wrong, now_us=step * 30_000_000) is None
