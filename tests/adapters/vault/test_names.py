"""Names beside the log."""

from uuid import UUID

from adapters.vault import PostgresNameBook
from adapters.vault.session import Pool

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def test_a_name_can_be_changed_and_erased(pool: Pool) -> None:
    """After that nobody knows it."""
    names = PostgresNameBook(pool)
    names.put(ONE, "Ada")
    names.put(TWO, "Bob")
    names.put(ONE, "Zoë")
    assert names.get([ONE, TWO, THREE]) == {ONE: "Zoë", TWO: "Bob"}
    assert names.erase(ONE)
    assert not names.erase(ONE)
    assert names.get([ONE, TWO]) == {TWO: "Bob"}
    assert names.get([]) == {}
