"""The end of an object that comes in pieces."""

import pytest

from application.dialects.anthropic.surface.json_end import JsonEnd

OBJECT = r'{"a}":"\"}{\\","b":[{},"]}"]}'


@pytest.mark.parametrize("at", range(1, len(OBJECT)))
def test_it_is_whole_with_its_last_bracket(at: int) -> None:
    """Wherever it is cut; brackets and quotes in texts are text."""
    end = JsonEnd()
    end.take(OBJECT[:at])
    assert not end.whole
    end.take("")
    for letter in OBJECT[at:-1]:
        end.take(letter)
        assert not end.whole
    end.take(OBJECT[-1])
    assert end.whole


def test_what_is_no_object_has_no_end() -> None:
    """Nothing, or a bare value, may still go on."""
    for text in ("", "  ", "null", '"{}"', "5"):
        end = JsonEnd()
        end.take(text)
        assert not end.whole
