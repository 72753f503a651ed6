"""The read model `keys`."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from application.eventlog import NewEvent
from application.keys.queries import KeyFilter, KeyRow
from domain.budgets.events import BudgetRemoved, BudgetSet
from domain.event import Event
from domain.keys.events import (
    ApiKeyExpirySet,
    ApiKeyIssued,
    ApiKeyLimitsSet,
    ApiKeyRevoked,
    ApiKeyRotated,
    KeySecretClaimed,
)
from domain.limits import Limits
from projections.key_reader import KeyReader, page_statement
from projections.keys import Keys
from tests.histories import numbered, sample
from tests.projections import facts
from tests.projections.facts import FIRST, KEY, LEASE, OTHER, SECOND, THIRD, admitted, charged, released
from tests.projections.lab import Lab

NOW_US = 1_000
A, B, C = (UUID(int=number) for number in (101, 102, 103))
LIMITS = Limits(rpm=7, models=("demo",))
DAY, MONTH = (UUID(int=number) for number in (201, 202))


def _issued(key_id: UUID, account_id: UUID, **changes: object) -> Event:
    return sample(ApiKeyIssued, key_id=key_id, account_id=account_id, occurred_us=10, **changes)


def _history() -> list[NewEvent]:
    """A key that was rotated and limited, one that expires and has budgets, one that was revoked, and one that is used."""
    rotated: Sequence[Event] = [
        _issued(A, OTHER, prefix="tk-a", expires_us=None),
        sample(ApiKeyRotated, key_id=A, prefix="tk-b", overlap_until_us=90, occurred_us=20),
        sample(ApiKeyLimitsSet, key_id=A, limits=LIMITS, occurred_us=30),
    ]
    expiring: Sequence[Event] = [
        _issued(B, OTHER, prefix="tk-c", expires_us=None, imported=True),
        sample(ApiKeyExpirySet, key_id=B, expires_us=NOW_US, occurred_us=40),
    ]
    revoked: Sequence[Event] = [
        _issued(C, facts.ACCOUNT, prefix="tk-d", expires_us=None),
        sample(ApiKeyRevoked, key_id=C, reason="leaked", occurred_us=50),
    ]
    used: Sequence[Event] = [_issued(KEY, facts.ACCOUNT, prefix="tk-e", expires_us=None)]
    budgets = [
        (DAY, sample(BudgetSet, budget_id=DAY, account_id=OTHER, key_id=B, amount_nano=5)),
        (MONTH, sample(BudgetSet, budget_id=MONTH, account_id=OTHER, key_id=B, amount_nano=6)),
    ]
    return [
        *numbered(UUID(int=301), 1, [sample(KeySecretClaimed, key_id=A)]),
        *numbered(A, 1, rotated),
        *numbered(B, 1, expiring),
        *numbered(C, 1, revoked),
        *numbered(KEY, 1, used),
        *(event for budget_id, fact in budgets for event in numbered(budget_id, 1, [fact])),
        *numbered(DAY, 2, [sample(BudgetRemoved, budget_id=DAY, account_id=OTHER, key_id=B)]),
        *numbered(LEASE, 1, [admitted(FIRST, 5), admitted(SECOND, 5), admitted(THIRD, 5)]),
        *numbered(LEASE, 4, [charged(FIRST, 5, 4), charged(SECOND, 5, 3), released(THIRD, 5)]),
    ]


@pytest.fixture
def reader(whole: Lab) -> KeyReader:
    whole.log.extend(_history())
    return KeyReader(whole.pool)


def _ids(reader: KeyReader, **wanted: object) -> list[UUID]:
    page = reader.keys(KeyFilter(**wanted), now_us=NOW_US)  # type: ignore[arg-type]  # of many kinds
    return [row.key_id for row in page.items]


def _key(reader: KeyReader, key_id: UUID, *, now_us: int = NOW_US) -> KeyRow:
    row = reader.key(key_id, now_us=now_us)
    assert row is not None
    return row


def test_keys_are_found_by_what_they_are(whole: Lab, reader: KeyReader) -> None:
    """By id; by account, by what may be done with them now, and by how their secret begins."""
    whole.catch_up()
    assert _ids(reader) == [KEY, A, B, C]
    assert _ids(reader, account_id=OTHER) == [A, B]
    assert _ids(reader, state="active") == [KEY, A]
    assert _ids(reader, state="expired") == [B]
    assert _ids(reader, state="revoked") == [C]
    assert _ids(reader, state="revoked", account_id=OTHER) == []
    assert _ids(reader, prefix="tk-b") == [A]
    assert _ids(reader, prefix="tk-a") == []
    assert reader.key(UUID(int=5), now_us=NOW_US) is None


def test_a_key_shows_its_life(whole: Lab, reader: KeyReader) -> None:
    """Both secrets while both work, when it was made, rotated and revoked, and why; nothing that opens it."""
    whole.catch_up()
    row = _key(reader, A)
    assert [(one.prefix, one.valid_until_us) for one in row.secrets] == [("tk-b", None), ("tk-a", 90)]
    assert (row.limits, row.created_us, row.rotated_us, row.revoked_us) == (LIMITS, 10, 20, None)
    row = _key(reader, C)
    assert (row.state, row.revoked_us, row.secrets) == ("revoked", 50, ())
    assert row.revoked_because == "leaked"
    row = _key(reader, B, now_us=NOW_US - 1)
    assert (row.state, row.imported, row.expires_us) == ("active", True, NOW_US)


def test_budgets_and_uses_stand_with_their_key(whole: Lab, reader: KeyReader) -> None:
    """Budgets in force; charges, what they come to, and when the last request ended, charged or not."""
    whole.catch_up()
    assert [(one.budget_id, one.amount_nano) for one in _key(reader, B).budgets] == [(MONTH, 6)]
    row = _key(reader, KEY)
    assert (row.charges, row.charged_nano, row.last_used_us, row.budgets) == (2, 7, 9, ())
    assert (_key(reader, A).charges, _key(reader, A).last_used_us) == (0, None)


def test_pages_follow_each_other(whole: Lab, reader: KeyReader) -> None:
    """Each key is on one of them."""
    whole.catch_up()
    first = reader.keys(KeyFilter(), now_us=NOW_US, limit=3)
    second = reader.keys(KeyFilter(), now_us=NOW_US, after=first.next_after, limit=3)
    assert [row.key_id for row in (*first.items, *second.items)] == [KEY, A, B, C]
    assert second.next_after is None


def test_pages_go_the_other_way_too(whole: Lab, reader: KeyReader) -> None:
    """The greatest id first: ids that are made in time put the newest there."""
    whole.catch_up()
    first = reader.keys(KeyFilter(), now_us=NOW_US, limit=3, newest_first=True)
    second = reader.keys(KeyFilter(), now_us=NOW_US, after=first.next_after, limit=3, newest_first=True)
    assert [row.key_id for row in (*first.items, *second.items)] == [C, B, A, KEY]
    assert second.next_after is None


def test_keys_are_found_by_what_people_remember(whole: Lab, reader: KeyReader) -> None:
    """A part of the name in whatever case, the beginning of the secret, an end that is near; signs of patterns are plain text."""
    whole.catch_up()
    with whole.pool.connection() as connection:
        connection.execute("TRUNCATE subject_names")
        connection.execute(
            "INSERT INTO subject_names (subject_id, name) VALUES (%s, 'CI of Ünal'), (%s, '100%%_sure'), (%s, NULL)",
            [A, B, C],
        )
    assert _ids(reader, named="ci OF ün") == [A]
    assert _ids(reader, named="%") == [B]
    assert _ids(reader, named="ci", account_id=facts.ACCOUNT) == []
    assert _ids(reader, begins="tk-") == [KEY, A, B]
    assert _ids(reader, begins="tk-b") == [A]
    assert _ids(reader, begins="k") == []
    assert _ids(reader, ends_before_us=NOW_US + 1) == [B]
    assert _ids(reader, ends_before_us=NOW_US) == []


@pytest.mark.parametrize("batch_events", [1, 2, 3, 100])
def test_a_rebuild_is_equal(whole: Lab, batch_events: int) -> None:
    """P10 and P11: in whatever batches, and if all of it comes twice."""
    whole.log.extend(_history())
    whole.catch_up(batch_events=batch_events)
    before = whole.hashes()[Keys.name]
    whole.rewind(0)
    whole.catch_up(batch_events=batch_events)
    assert whole.hashes()[Keys.name] == before
    assert whole.rebuild(Keys.name) == before


def test_what_follows_no_beginning_is_passed_over(whole: Lab) -> None:
    """Of a damaged log; the read model goes on."""
    whole.log.extend(numbered(A, 2, [sample(ApiKeyRevoked, key_id=A), _issued(A, OTHER)]))
    whole.catch_up()
    assert _ids(KeyReader(whole.pool), state="active", account_id=OTHER) == [A]


@pytest.mark.parametrize(
    "wanted",
    [
        KeyFilter(),
        KeyFilter(account_id=OTHER),
        KeyFilter(state="active"),
        KeyFilter(prefix="tk"),
        KeyFilter(begins="tk19999"),
    ],
    ids=str,
)
def test_a_page_of_many_keys_looks_at_no_others(whole: Lab, wanted: KeyFilter) -> None:
    """However many there are, Postgres neither reads nor sorts all of them."""
    fill = """
        INSERT INTO rm_keys_1.api_keys
        SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '00000000-0000-4000-8000-000000000001',
            'tk' || n, NULL, false, NULL, 1, 1, n, n, '{}' FROM generate_series(1, 20000) n
    """
    statement, values = page_statement(wanted, now_us=NOW_US, after=UUID(int=0), limit=101)
    with whole.pool.connection() as connection:
        connection.execute(fill)
        connection.execute("ANALYZE rm_keys_1.api_keys")
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}", values))
    assert "Seq Scan on api_keys" not in plan, plan
