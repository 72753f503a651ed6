"""What a code looks like, and that people may type it as they like."""

import re

import pytest
from hypothesis import given as always
from hypothesis import strategies as st

from domain.keys.secret import SecretHasher
from domain.promotions.codes import CODE_BYTES, BadCode, hash_of, new_code
from domain.secret import Secret

HASHER = SecretHasher(b"pepper")


@always(st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES))
def test_a_code_is_found_however_it_is_typed(entropy: bytes) -> None:
    """Any case, any hyphens and blanks, with or without its beginning, and letters that look like digits."""
    code = new_code(entropy)
    text = code.reveal()
    assert re.fullmatch(r"TOK(-[0-9A-HJKMNP-TV-Z]{5}){4}", text)
    wanted = hash_of(code, HASHER)
    bare = text.removeprefix("TOK-")
    for typed in (
        text.lower(),
        text.replace("-", " "),
        bare,
        bare.replace("-", ""),
        f" {text} ",
        bare.replace("0", "o").replace("1", "l"),
    ):
        assert hash_of(Secret(typed), HASHER) == wanted, typed


@always(*[st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES)] * 2)
def test_different_bits_are_different_codes(first: bytes, second: bytes) -> None:
    """The last hundred decide."""
    same = (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")) % 2**100 == 0
    codes = new_code(first), new_code(second)
    assert (hash_of(codes[0], HASHER) == hash_of(codes[1], HASHER)) == same


@pytest.mark.parametrize(
    "typed",
    ["", "TOK", "TOK-AAAAA-AAAAA-AAAAA-AAAA", "U" * 20, "A" * 21, "A" * 1000, "\x00" * 20, "\u0661" * 20],
)
def test_what_is_no_code_is_no_code(typed: str) -> None:
    """One refusal, which repeats nothing of it."""
    with pytest.raises(BadCode, match=r"^there is no such code$"):
        hash_of(Secret(typed), HASHER)
