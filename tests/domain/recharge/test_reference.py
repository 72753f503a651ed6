"""What customers write on a transfer."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.recharge.reference import read_reference, reference_of

IDS = st.uuids()


@given(IDS)
def test_a_reference_reads_back_however_it_is_typed(order_id: UUID) -> None:
    """Small letters, blanks, no hyphens, and letters that look like digits."""
    reference = reference_of(order_id)
    assert len(reference) == len("TK-7Q2M4-XK9TD-3")
    typed = reference.removeprefix("TK-").replace("-", " ").replace("1", "l").replace("0", "o").lower()
    assert read_reference(reference) == read_reference(typed) == read_reference(f" tk{typed}") == reference


@given(IDS, st.integers(3, 14), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_noticed(order_id: UUID, place: int, other: str) -> None:
    """The check tells two characters apart unless they are 31 apart: the first and the last of the alphabet."""
    reference = reference_of(order_id)
    was = reference[place]
    if was not in {"-", other} and {was, other} != {"0", "Z"}:
        assert read_reference(reference[:place] + other + reference[place + 1 :]) is None


def test_other_words_are_no_reference() -> None:
    """Not even the beginning of one."""
    assert [read_reference(text) for text in ("", "TK-", "invoice 4712", "TK-7Q2M4-XK9TD", "Ü" * 11)] == [
        None
    ] * 5
