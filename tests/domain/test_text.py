"""Names that people type."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusal import BadField
from domain.text import alias_name, printable, slug


@pytest.mark.parametrize("name", ["gpt-6", "openai/gpt-6.1-sol", "a/b/c", "MiniMax-M3", "x:y@1+z_0"])
def test_an_alias_may_have_slashes(name: str) -> None:
    """Names with parts, as clients write them, pass unchanged."""
    assert alias_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", ".hidden", "a/../b", "a b", "ä", "a\n", "a\x00", "a%2fb", "x" * 201]
)
def test_an_ambiguous_alias_is_refused(name: str) -> None:
    """What a URL, a page or a log could read in another way is no alias."""
    with pytest.raises(BadField):
        alias_name(name)


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a.b", "x" * 64, "a\n"])
def test_a_slug_is_lower_case(name: str) -> None:
    """Provider names are letters, digits and hyphens."""
    with pytest.raises(BadField):
        slug(name, field="name")
    assert slug("openai-eu2", field="name") == "openai-eu2"


@given(st.text(max_size=30))
def test_what_passes_can_be_shown_on_one_line(text: str) -> None:
    """Either refused, or free of control, format and surrogate characters and of breaks, with no blanks around."""
    shown = text.strip()
    is_control = any(unicodedata.category(character)[0] == "C" for character in shown)
    if shown and not is_control and not {"\u2028", "\u2029"} & set(shown):
        assert printable(text, field="name") == shown
        assert shown.encode()
        assert shown.splitlines() == [shown]
    else:
        with pytest.raises(BadField):
            printable(text, field="name")


@pytest.mark.parametrize("text", ["a\u2028b", "a\u2029b", "a\x85b", "a\nb", "a\u202eb"])
def test_a_name_has_one_line(text: str) -> None:
    """Whoever splits a file or a mail by lines finds it whole."""
    with pytest.raises(BadField):
        printable(text, field="name")


def test_a_refusal_never_repeats_the_value() -> None:
    """A secret typed into the wrong field does not come back in an error."""
    with pytest.raises(BadField) as caught:
        printable("sk-canary\x00", field="name")
    assert "canary" not in str(caught.value)
