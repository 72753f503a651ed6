"""Names that people type."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from idna import idnadata

from domain.joiners import ARABIC_DUAL, ARABIC_RIGHT, without_fit_joiners
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
    """Either refused, or free of control, format (but joiners that are read) and surrogate characters and of breaks."""
    shown = text.strip()
    is_control = any(unicodedata.category(character)[0] == "C" for character in without_fit_joiners(shown))
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


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("\U0001f469\u200d\U0001f4bb Ada", id="emoji"),
        pytest.param("\U0001f469\U0001f3fd\u200d\U0001f680", id="emoji-with-colour"),
        pytest.param("\U0001f3f3\ufe0f\u200d\U0001f308", id="emoji-with-presentation"),
        pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467", id="family"),
        pytest.param(
            "\u0634\u0631\u06a9\u062a \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", id="persian"
        ),
        pytest.param("\u06a9\u064f\u062a\u064f\u0628\u064f\u200c\u0647\u0627", id="persian-with-vowels"),
        pytest.param("\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf", id="sinhala"),
        pytest.param("\u0915\u094d\u200d\u0937", id="devanagari-half-form"),
        pytest.param("\u0915\u094d\u200c\u0937", id="devanagari-virama"),
        pytest.param("\u0921\u093c\u094d\u200c\u092f", id="devanagari-nukta"),
        pytest.param("\u0d05\u0d35\u0d28\u0d4d\u200d", id="malayalam-chillu-at-the-end"),
        pytest.param("\u09b0\u200d\u09cd\u09af\u09be\u09ac", id="bengali-ra-with-ya"),
    ],
)
def test_joiners_that_are_read_stay(name: str) -> None:
    """Names in emoji and in scripts that need them are kept as they were typed."""
    assert printable(name, field="name") == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("pay\u200cpal", id="latin"),
        pytest.param("pay\u200dpal", id="latin-joiner"),
        pytest.param("\u200d\U0001f4bb", id="nothing-before"),
        pytest.param("\U0001f4bb\u200d", id="nothing-behind"),
        pytest.param("\U0001f469\u200d\u200d\U0001f4bb", id="twice"),
        pytest.param("\U0001f469\u200c\U0001f4bb", id="non-joiner-in-emoji"),
        pytest.param("\U0001f469\u200dA", id="emoji-and-letter"),
        pytest.param("\u0628\u0627\u0631\u200c\u0647\u0627", id="after-a-letter-that-joins-to-none"),
        pytest.param("\u0645\u06cc\u200c\u200c\u062e", id="non-joiner-twice"),
        pytest.param("\u0645\u06cc\u200c", id="persian-at-the-end"),
        pytest.param("\u0915\u200d\u0937", id="no-virama"),
        pytest.param("\u0915\u094d\u200c", id="virama-and-no-letter"),
        pytest.param("\u0915\u094d\u200d\u093f", id="before-a-vowel-sign"),
        pytest.param("\u094d\u200d\u0937", id="virama-on-nothing"),
        pytest.param("\u4f1a\u200b\u793e", id="zero-width-space"),
    ],
)
def test_joiners_that_nobody_sees_are_refused(name: str) -> None:
    """Two names that look alike are not two names."""
    with pytest.raises(BadField, match="cannot be shown"):
        printable(name, field="name")


def test_arabic_letters_join_as_unicode_says() -> None:
    """The letters that the rule knows are those of the standard's table, as the package for domain names has it."""
    joining = {
        code: kind
        for kind, ranges in idnadata.joining_types.items()
        for packed in ranges
        for code in range(packed >> 32, packed & 0xFFFF_FFFF)
    }
    for code in (*range(0x0620, 0x0700), *range(0x0750, 0x0780)):
        kind = joining.get(code)
        assert bool(re.match(f"[{ARABIC_DUAL}]", chr(code))) == (kind == "D"), hex(code)
        assert bool(re.match(f"[{ARABIC_RIGHT}]", chr(code))) == (kind == "R"), hex(code)
