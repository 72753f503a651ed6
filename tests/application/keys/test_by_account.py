"""Pages of an account's keys follow each other, whatever their order of coming."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from application.keys.by_account import KeysByAccount

OURS, THEIRS = UUID(int=1), UUID(int=2)


@given(numbers=st.lists(st.integers(0, 2**128 - 1), unique=True, max_size=20), size=st.integers(1, 7))
def test_pages_have_every_key_once_and_in_order(numbers: list[int], size: int) -> None:
    """Of the account alone; the last page says that it is the last."""
    keys = KeysByAccount()
    for number in numbers:
        keys.add(OURS, UUID(int=number))
        keys.add(THEIRS, UUID(int=number ^ 1))
    seen: list[UUID] = []
    after: UUID | None = None
    for _ in range(len(numbers) // size + 1):
        ids, after = keys.page(OURS, after=after, limit=size)
        seen += ids
        if after is None:
            break
    assert after is None
    assert seen == sorted(UUID(int=number) for number in numbers)
