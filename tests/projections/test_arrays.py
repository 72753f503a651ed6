"""Columns as array literals."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.queries import clean
from projections.arrays import COPY_FORMAT, array_literal, column_literals, copy_lines
from projections.projection import Pool
from tests.histories import AWKWARD

_ids = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))
# The connection pool's threads may draw a random number while an example is made.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
_EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_texts = st.lists(
    st.none() | st.sampled_from(AWKWARD) | st.text(st.characters(exclude_categories=["Cs"])), max_size=8
)
_numbers = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8)


@_EXAMPLES
@given(texts=_texts)
def test_texts_arrive_as_they_were_but_for_control_characters(pool: Pool, texts: list[str | None]) -> None:
    """Quotes, backslashes, braces, commas, `NULL`, emoji: all come back; NUL and its like are replaced."""
    with pool.connection() as connection:
        row = connection.execute("SELECT %s::text[]", [array_literal(texts)]).fetchone()
    assert row == ([None if text is None else clean(text) for text in texts],)


@_EXAMPLES
@given(numbers=_numbers, flags=st.lists(st.none() | st.booleans()), ids=st.lists(st.none() | _ids))
def test_other_values_arrive_as_they_were(
    pool: Pool, numbers: list[int | None], flags: list[bool | None], ids: list[UUID | None]
) -> None:
    """Integers of 64 bits, booleans, UUIDs and nulls."""
    with pool.connection() as connection:
        row = connection.execute(
            "SELECT %s::bigint[], %s::boolean[], %s::uuid[]",
            [array_literal(numbers), array_literal(flags), array_literal(ids)],
        ).fetchone()
    assert row == (numbers, flags, ids)


@_EXAMPLES
@given(
    texts=_texts,
    number=st.none() | st.integers(-(2**63), 2**63 - 1),
    flag=st.none() | st.booleans(),
    one=_ids,
)
def test_copied_rows_arrive_as_those_of_arrays_do(
    pool: Pool, texts: list[str | None], number: int | None, flag: bool | None, one: UUID
) -> None:
    """Whatever stands in them: a rebuild copies rows, and must come to what the runner writes."""
    rows = [(place, text, number, flag, one) for place, text in enumerate([*texts, "null", "", "]\n["])]
    with pool.connection() as connection, connection.transaction():
        connection.execute(
            "CREATE TEMP TABLE copied (a bigint, b text, c bigint, d boolean, e uuid) ON COMMIT DROP"
        )
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY copied FROM STDIN {COPY_FORMAT}".encode()) as copy,
        ):
            copy.write(copy_lines(rows))
        copied = connection.execute("SELECT * FROM copied ORDER BY a").fetchall()
        columns = "%s::bigint[], %s::text[], %s::bigint[], %s::boolean[], %s::uuid[]"
        unnested = connection.execute(f"SELECT * FROM unnest({columns})", column_literals(rows)).fetchall()
    assert copied == unnested
    assert [row[1] for row in copied] == [None if row[1] is None else clean(row[1]) for row in rows]


def test_rows_become_columns() -> None:
    """One literal for each column, in order."""
    assert column_literals([(1, "a"), (2, None)]) == ["{1,2}", '{"a",null}']


def test_cleaning_leaves_nothing_that_postgres_refuses() -> None:
    """All control characters of ASCII go, nothing else does."""
    assert clean("a\x00b\x1fc\n") == "a�b�c�"
    assert clean("ü漢😀 ~") == "ü漢😀 ~"
