"""The outbox: in Postgres, and its stand-in, which keeps the same contract."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from adapters.mail.outbox import PostgresOutbox, purge_mails
from adapters.vault.master_keys import MasterKeys
from adapters.vault.personal_data import PostgresPersonalData
from adapters.vault.session import Pool
from application.mail.outbox import Claimed, Outbox
from application.vault import VaultDamaged, VaultUnavailable
from domain.privacy import SubjectErased
from tests.application.mail.samples import LETTERS, MAIL, SUBJECT, mail
from tests.fakes import MemoryOutbox

KEYS = MasterKeys({"k": b"k" * 31 + b"1"})
NOW, REST = 1_000, 100


@pytest.fixture
def personal(pool: Pool) -> PostgresPersonalData:
    return PostgresPersonalData(pool, KEYS)


@pytest.fixture
def postgres(pool: Pool, personal: PostgresPersonalData) -> PostgresOutbox:
    return PostgresOutbox(pool, personal)


@pytest.fixture(params=["memory", "postgres"])
def outbox(request: pytest.FixtureRequest) -> Outbox:
    return MemoryOutbox() if request.param == "memory" else request.getfixturevalue("postgres")


def claimed(outbox: Outbox, now_us: int = NOW) -> Claimed:
    found = outbox.claim(now_us=now_us, rest_us=REST)
    assert found is not None
    return found


def state(outbox: Outbox) -> tuple[str, str]:
    row = outbox.find(MAIL)
    assert row is not None
    return row.state, row.reason


def test_a_mail_is_put_once_and_read_back(outbox: Outbox) -> None:
    """As it was, whatever its letter; the second of the same id changes nothing."""
    for number, letter in enumerate(LETTERS):
        assert outbox.put(mail(letter, mail_id=UUID(int=number)), now_us=NOW + number)
        assert not outbox.put(mail(mail_id=UUID(int=number), to="eve@example.com"), now_us=NOW)
    for number, letter in enumerate(LETTERS):
        held = claimed(outbox, NOW + len(LETTERS))
        assert (held.mail_id, held.attempts, held.was_handing_over) == (UUID(int=number), 1, False)
        assert outbox.open(held) == mail(letter, mail_id=UUID(int=number))
    assert outbox.claim(now_us=NOW + len(LETTERS), rest_us=REST) is None
    assert outbox.find(UUID(int=10**6)) is None


def test_a_mail_takes_its_way(outbox: Outbox) -> None:
    """Claimed, handed over, sent: then it is known and says nothing any more."""
    outbox.put(mail(), now_us=NOW)
    held = claimed(outbox)
    assert outbox.hand_over(held, now_us=NOW + 1, rest_us=REST)
    assert state(outbox) == ("handing_over", "")
    outbox.settle(held, "sent", now_us=NOW + 2)
    row = outbox.find(MAIL)
    assert row is not None
    assert (row.state, row.sent_us, row.attempts, row.queued_us) == ("sent", NOW + 2, 1, NOW)
    assert outbox.open(held) is None
    assert outbox.claim(now_us=NOW + 10**9, rest_us=REST) is None


def test_who_lost_a_mail_can_do_nothing_to_it(outbox: Outbox) -> None:
    """After its time another holds it: the first neither hands it over nor says what became of it."""
    outbox.put(mail(), now_us=NOW)
    first = claimed(outbox)
    assert outbox.claim(now_us=NOW + REST - 1, rest_us=REST) is None
    second = claimed(outbox, NOW + REST)
    assert second.attempts == 2
    assert not outbox.hand_over(first, now_us=NOW + REST, rest_us=REST)
    outbox.settle(first, "parked", now_us=NOW, reason="late")
    outbox.postpone(first, until_us=0, reason="late")
    assert state(outbox) == ("waiting", "")
    assert outbox.hand_over(second, now_us=NOW + REST, rest_us=REST)


def test_who_dies_while_handing_over_is_told_of(outbox: Outbox) -> None:
    """The next holder learns that the mail may have arrived."""
    outbox.put(mail(), now_us=NOW)
    outbox.hand_over(claimed(outbox), now_us=NOW, rest_us=REST)
    second = claimed(outbox, NOW + REST)
    assert second.was_handing_over
    outbox.settle(second, "parked", now_us=NOW, reason="it may have arrived")
    assert state(outbox) == ("parked", "it may have arrived")
    assert outbox.claim(now_us=NOW + 10**9, rest_us=REST) is None
    assert outbox.open(second) == mail()  # for whoever tries again


def test_what_waits_is_tried_again_at_its_time(outbox: Outbox) -> None:
    """Not before."""
    outbox.put(mail(), now_us=NOW)
    outbox.postpone(claimed(outbox), until_us=NOW + 5_000, reason="421")
    assert state(outbox) == ("waiting", "421")
    assert outbox.claim(now_us=NOW + 4_999, rest_us=REST) is None
    assert claimed(outbox, NOW + 5_000).attempts == 2


def test_an_operator_retries_what_is_parked(outbox: Outbox) -> None:
    """From the first attempt on; nothing else can be retried."""
    outbox.put(mail(), now_us=NOW)
    assert not outbox.retry(MAIL, now_us=NOW)
    held = claimed(outbox)
    outbox.settle(held, "parked", now_us=NOW, reason="550")
    assert outbox.retry(MAIL, now_us=NOW + 7)
    assert not outbox.retry(MAIL, now_us=NOW + 7)
    outbox.settle(held, "sent", now_us=NOW)  # a late word of who held it before
    again = claimed(outbox, NOW + 7)
    assert (again.attempts, state(outbox)) == (1, ("waiting", ""))
    assert not outbox.retry(UUID(int=1), now_us=NOW)


def test_an_operator_discards_what_was_not_sent(outbox: Outbox) -> None:
    """While somebody holds it, too, who cannot hand it over any more; what is handed over cannot be taken back."""
    outbox.put(mail(), now_us=NOW)
    held = claimed(outbox)
    assert outbox.discard(MAIL, now_us=NOW, reason="a mistake")
    assert state(outbox) == ("discarded", "a mistake")
    assert not outbox.hand_over(held, now_us=NOW, rest_us=REST)
    assert outbox.open(held) is None
    assert not outbox.discard(MAIL, now_us=NOW, reason="again")
    other = UUID(int=77)
    outbox.put(mail(mail_id=other), now_us=NOW)
    outbox.hand_over(claimed(outbox), now_us=NOW, rest_us=REST)
    assert not outbox.discard(other, now_us=NOW, reason="too late")


def test_pages_are_newest_first(postgres: PostgresOutbox) -> None:
    """Each mail once, those of one moment too; by state."""
    for number in range(1, 6):
        postgres.put(mail(mail_id=UUID(int=number)), now_us=NOW + number // 2)
    before, seen = None, []
    while True:
        page = postgres.page(before=before, limit=2)
        seen += [one.mail_id.int for one in page.items]
        before = page.next_before
        if before is None:
            break
    assert seen == [5, 4, 3, 2, 1]
    postgres.settle(claimed(postgres), "parked", now_us=NOW)
    assert [one.mail_id.int for one in postgres.page(state="parked").items] == [1]
    assert postgres.page(state="parked").items[0].template == "reset_password"
    for odd in ("", "x", "1:", f"{10**30}:{UUID(int=0)}"):
        assert postgres.page(before=odd).items == () or odd.startswith("1000")


def test_many_workers_hold_a_mail_each(postgres: PostgresOutbox) -> None:
    """No mail twice at once, none forgotten."""
    for number in range(20):
        postgres.put(mail(mail_id=UUID(int=number)), now_us=NOW)
    with ThreadPoolExecutor(4) as workers:
        held = list(workers.map(lambda _: postgres.claim(now_us=NOW, rest_us=REST), range(24)))
    found = [one.mail_id.int for one in held if one is not None]
    assert sorted(found) == list(range(20))


def test_what_a_mail_says_is_sealed_and_goes_with_its_subject(
    postgres: PostgresOutbox, personal: PostgresPersonalData, database_url: str
) -> None:
    """Neither the address nor the link is in the database in the clear; after an erasure nobody reads it, and there is no new one."""
    postgres.put(mail(), now_us=NOW)
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT mail_outbox::text, ciphertext FROM mail_outbox").fetchone()
    assert row is not None
    for word in ("ada@", "example.com", "?t=1"):
        assert word not in row[0]
        assert word.encode() not in bytes(row[1])
    personal.erase(SUBJECT)
    assert postgres.open(claimed(postgres)) is None
    with pytest.raises(SubjectErased):
        postgres.put(mail(mail_id=UUID(int=2)), now_us=NOW)


def test_a_mail_opens_in_its_own_row_only(postgres: PostgresOutbox, database_url: str) -> None:
    """Whoever writes in the table can swap rows, and gains nothing."""
    postgres.put(mail(), now_us=NOW)
    postgres.put(mail(mail_id=UUID(int=2), to="eve@example.com"), now_us=NOW + 1)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE mail_outbox SET ciphertext = (SELECT ciphertext FROM mail_outbox WHERE mail_id = %s) WHERE mail_id = %s",
            (UUID(int=2), MAIL),
        )
    with pytest.raises(VaultDamaged):
        postgres.open(claimed(postgres))


def test_what_was_sent_is_forgotten_after_a_while(postgres: PostgresOutbox, pool: Pool) -> None:
    """And what came too late; what waits or is parked stays, however old."""
    for number, expires_us in enumerate((None, None, None, NOW + 5, NOW + 10**9)):
        postgres.put(mail(mail_id=UUID(int=number), expires_us=expires_us), now_us=NOW + number)
    postgres.settle(claimed(postgres, NOW), "sent", now_us=NOW)
    postgres.settle(claimed(postgres, NOW + 1), "parked", now_us=NOW)
    assert purge_mails(pool, before_us=NOW + 10, batch_rows=1) == 2
    assert [one.mail_id.int for one in postgres.page().items] == [4, 2, 1]


def test_a_database_that_is_away_is_said() -> None:
    """Nothing is known to be kept."""
    with ConnectionPool("postgresql://127.0.0.1:1/x", min_size=0, max_size=1, timeout=0.2, open=True) as away:
        outbox = PostgresOutbox(away, PostgresPersonalData(away, KEYS))
        with pytest.raises(VaultUnavailable):
            outbox.claim(now_us=NOW, rest_us=REST)
