"""What of a provider's usage goes into an event for ever: figures under known names; nothing that could hold a prompt."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.wire.usage_record import DEPTH_MAX, MEMBERS_MAX, RECORD_CHARS_MAX, usage_record

SECRET = "the launch code is tangerine"
FIGURES = {
    "prompt_tokens": 10,
    "completion_tokens": 0,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None},
    "cost": 0.0015,
    "is_byok": False,
}


def record(usage: object) -> Any:
    kept = usage_record(json.dumps(usage).encode())
    return None if kept is None else json.loads(kept)


def test_figures_under_known_names_are_kept_as_they_are() -> None:
    """Integers, decimals, booleans and nulls; zeros as well."""
    assert record(FIGURES) == FIGURES


@pytest.mark.parametrize(
    "usage",
    [
        FIGURES | {"total_tokens": SECRET},
        FIGURES | {"service_tier": SECRET},
        FIGURES | {SECRET: 1},
        FIGURES | {"the_launch_code_is_tangerine": 1},
        FIGURES | {"theLaunchCodeIsTangerine": 1},
        FIGURES | {"TANGERINE": 1},
        FIGURES | {"prompt_tokens_Tangerine": 1},
        FIGURES | {"prompt_tokens_TANGERINE": 1},
        FIGURES | {"prompt tokens tangerine": 1},
        FIGURES | {"tangerine": {"prompt_tokens": 1}},
        FIGURES | {"cost_details": {"tangerine": 1}},
        FIGURES | {"iterations": [SECRET, [SECRET], {"tangerine": 1}]},
        FIGURES | {"iterations": {"iterations": {"iterations": {"tokens": SECRET}}}},
        FIGURES | {"prompt_tokenß": 1},
    ],
    ids=repr,
)
def test_text_is_kept_in_no_place(usage: dict[str, Any]) -> None:
    """Not as a value, not as a name, at no depth."""
    kept = json.dumps(record(usage)).lower()
    assert "tangerine" not in kept
    assert "ß" not in kept
    assert {name: record(usage)[name] for name in FIGURES} == FIGURES


def test_a_name_twice_does_not_hide_text() -> None:
    """A parser keeps the last one; the bytes of the first must not go along."""
    raw = b'{"prompt_tokens":"%s","prompt_tokens":1}' % SECRET.encode()
    assert usage_record(raw) == '{"prompt_tokens":1}'


def test_names_that_providers_come_up_with_are_kept() -> None:
    """Made of the same words: an auditor finds them in the event."""
    usage = {
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
        "cost_in_usd_ticks": 1_176_500,
        "ephemeral_1h_input_tokens": 3,
        "x_search_calls": 1,
        "cached_image_tokens": 2,
    }
    assert record(usage) == usage | {"promptTokensDetails": [{"tokenCount": 5}]}


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"{}", b"[]", b'"text"', b"{", b"\xff", b"[" * 5_000, b'{"x":"y"}']
)
def test_what_has_no_figures_leaves_no_record(raw: bytes) -> None:
    """Whatever it is."""
    assert usage_record(raw) is None


def test_a_record_is_bounded() -> None:
    """In members, in depth, in the size of a figure, and as a whole."""
    many = record({"iterations": [{"tokens": number} for number in range(1_000)]})
    assert len(many["iterations"]) <= MEMBERS_MAX
    deep: Any = 1
    for _ in range(50):
        deep = {"tokens": deep}
    assert json.dumps(record({"usage": 1} | deep)).count("tokens") <= DEPTH_MAX
    assert record({"tokens": 2**63, "cost": 1}) == {"cost": 1}
    assert record({"tokens": 1, "_".join(["tokens"] * 20): 1}) == {"tokens": 1}
    wide = {"iterations": [dict.fromkeys(("input_tokens", "output_tokens"), 2**62) for _ in range(48)]}
    assert len(usage_record(json.dumps(wide).encode()) or "") <= RECORD_CHARS_MAX


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["tokens", "cost", "iterations"]) | st.text(), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(JSON)
def test_no_string_survives(usage: Any) -> None:
    """Whatever the shape: the values of a record are figures, and its size is bounded."""
    kept = usage_record(json.dumps(usage).encode())

    def look(value: Any) -> None:
        assert not isinstance(value, str)
        if isinstance(value, dict):
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                assert isinstance(one, dict)
                look(one)

    if kept is not None:
        assert len(kept) <= RECORD_CHARS_MAX
        look(json.loads(kept))


def test_recorded_usage_of_every_provider_leaves_a_record(answers: list[dict[str, Any]]) -> None:
    """Nothing that was billed by is lost: every figure comes back as it was."""
    seen = 0
    for case in answers:
        body = case["response_body"]
        usage = body.get("usage") if isinstance(body, dict) else None
        if isinstance(usage, dict) and usage:
            seen += 1
            kept = record(usage)
            assert all(kept[name] == value for name, value in usage.items() if type(value) is int), usage
    assert seen > 500
