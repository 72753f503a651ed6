"""Names beside the log."""

from uuid import UUID

import pytest

from adapters.vault import MasterKeys, PostgresNameBook, PostgresPersonalData
from adapters.vault.session import Pool
from domain.privacy import SubjectErased

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
