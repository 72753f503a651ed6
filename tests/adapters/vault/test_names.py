"""Names beside the log."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.vault import MasterKeys, PostgresNameBook, PostgresPersonalData
from adapters.vault.session import Pool
from application.names import NameBook
from domain.privacy import SubjectErased
from tests.fakes import MemoryNames

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def test_a_name_can_be_changed_and_erased(pool: Pool) -> None:
    """After that nobody knows it, and no other takes its place, not even where there was none."""
    names = PostgresNameBook(pool)
    names.put(ONE, "Ada")
    names.put(TWO, "Bob")
    names.put(ONE, "Zoë")
    assert names.get([ONE, TWO, THREE]) == {ONE: "Zoë", TWO: "Bob"}
    PostgresPersonalData(pool, MasterKeys({"k": b"k" * 31 + b"1"})).erase(ONE, named=[THREE])
    assert names.get([ONE, TWO, THREE]) == {TWO: "Bob"}
    assert names.get([]) == {}
    for one in (ONE, THREE):
        with pytest.raises(SubjectErased):
            names.put(one, "Eve")


TEXTS = st.text(alphabet="abAB %_\\蓝天空ü-", max_size=8)


@pytest.fixture(params=["memory", "postgres"])
def names(request: pytest.FixtureRequest) -> NameBook:
    """The fake and the real one answer alike."""
    return MemoryNames() if request.param == "memory" else PostgresNameBook(request.getfixturevalue("pool"))


def test_names_are_found_by_what_they_hold(names: NameBook) -> None:
    """In whatever case and script, one sign or many; signs of patterns mean themselves."""
    for number, name in enumerate(("Acme GmbH", "蓝天科技有限公司", "100%_sure", "Überacme"), 1):
        names.put(UUID(int=number), name)
    found = {text: [one.int for one in names.like(text, limit=9)] for text in ("acme", "ME G", "科技", "天")}
    assert found == {"acme": [1, 4], "ME G": [1], "科技": [2], "天": [2]}
    assert [one.int for one in names.like("%_", limit=9)] == [3]
    assert [one.int for one in names.like("acme", limit=1)] == [1]
    assert names.like("acmeme", limit=9) == names.like("", limit=9) == names.like("\0", limit=9) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(known=st.lists(TEXTS.filter(bool), max_size=4), text=TEXTS)
def test_the_index_hides_no_name(pool: Pool, known: list[str], text: str) -> None:
    """It finds what looking at every name finds."""
    with pool.connection() as connection:
        connection.execute("TRUNCATE subject_names")
    memory, real = MemoryNames(), PostgresNameBook(pool)
    for number, name in enumerate(known):
        memory.put(UUID(int=number), name)
        real.put(UUID(int=number), name)
    assert real.like(text, limit=9) == memory.like(text, limit=9)


def test_an_erased_name_is_not_found(pool: Pool) -> None:
    """Nor is what it held."""
    names = PostgresNameBook(pool)
    names.put(ONE, "Ada")
    assert names.like("da", limit=9) == [ONE]
    PostgresPersonalData(pool, MasterKeys({"k": b"k" * 31 + b"1"})).erase(ONE, named=[])
    assert names.like("da", limit=9) == []
