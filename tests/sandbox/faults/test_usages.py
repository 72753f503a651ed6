"""Usage that is missing, absurd, misplaced or repeated, around an answer that is right."""

from typing import Any

import pytest

from sandbox.faults import usages
from tests.sandbox.conftest import Running
from tests.sandbox.faults.provoke import TOKENS, Claim, cases, provoke, served, whole
from tests.sandbox.rawclient import Answer

CUSTOM = {"prompt_tokens": "many", "note": [1, None]}


def truth(answer: Answer) -> dict[str, Any]:
    (usage,) = answer.good.usages
    assert isinstance(usage, dict)
    return usage


def numbers(usage: Any) -> list[Any]:
    """All counts, those in the details too, in order."""
    if isinstance(usage, dict):
        return [number for value in usage.values() for number in numbers(value)]
    return [usage]


def each(change: Any) -> Claim:
    """Every count is what `change` makes of the true one; the object has the same keys."""

    def claim(answer: Answer) -> None:
        (usage,) = answer.usages
        assert list(usage) == list(truth(answer))
        expected = [change(number) for number in numbers(truth(answer))]
        assert [(type(number), number) for number in numbers(usage)] == [
            (type(number), number) for number in expected
        ]

    return claim


def raw_null(answer: Answer) -> None:
    assert answer.usages == []
    if answer.stream:
        assert answer.chunks[-1]["choices"] == []
        assert all(chunk["usage"] is None for chunk in answer.chunks)
    else:
        assert answer.json["usage"] is None


def value(expected: Any) -> Claim:
    def claim(answer: Answer) -> None:
        assert answer.usages == [expected]

    return claim


def listed(answer: Answer) -> None:
    assert answer.usages == [[truth(answer)]]


def total_off(answer: Answer) -> None:
    true = truth(answer)
    assert answer.usages == [{**true, "total_tokens": true["total_tokens"] + 1000}]


def cached_over_prompt(answer: Answer) -> None:
    (usage,) = answer.usages
    assert (
        usage["prompt_tokens_details"]["cached_tokens"]
        > usage["prompt_tokens"]
        == truth(answer)["prompt_tokens"]
    )


def prompt_only(answer: Answer) -> None:
    assert answer.usages == [{"prompt_tokens": truth(answer)["prompt_tokens"]}]


def missing(answer: Answer) -> None:
    found = answer.chunks if answer.stream else [answer.json]
    assert not any("usage" in chunk for chunk in found)


def twice(answer: Answer) -> None:
    assert answer.usages == [truth(answer)] * 2


def twice_differing(answer: Answer) -> None:
    first, last = answer.usages
    assert last == truth(answer)
    assert first["total_tokens"] == last["total_tokens"] // 2


def on_content(answer: Answer) -> None:
    with_usage = [chunk for chunk in answer.chunks if "usage" in chunk]
    assert [chunk["usage"] for chunk in with_usage] == [truth(answer)]
    assert with_usage[0]["choices"][0]["finish_reason"] == "stop"
    assert all(chunk["choices"] for chunk in answer.chunks)


def every_chunk(answer: Answer) -> None:
    assert len(answer.usages) == len(answer.chunks) == TOKENS + 2
    counts = [usage["completion_tokens"] for usage in answer.usages]
    assert counts == [0, *range(1, TOKENS + 1), TOKENS]
    assert answer.usages[-1]["total_tokens"] == truth(answer)["total_tokens"]


def first(answer: Answer) -> None:
    assert answer.chunks[0]["usage"] == truth(answer)
    assert answer.usages == [truth(answer)]


def after_done(answer: Answer) -> None:
    assert answer.events[-2] == "[DONE]"
    assert answer.chunks[-1]["usage"] == truth(answer)
    assert answer.text == answer.good.text


CLAIMS: dict[str, Claim] = {
    "usage_null": raw_null,
    "usage_empty": value({}),
    "usage_zero": each(lambda _: 0),
    "usage_negative": each(lambda number: -number - 1),
    "usage_float": each(lambda number: number + 0.5),
    "usage_int64": each(lambda _: 2**63),
    "usage_1e400": each(lambda _: 10**399),
    "usage_x1000": each(lambda number: number * 1000),
    "usage_low": each(lambda number: number // 10),
    "usage_string": each(str),
    "usage_list": listed,
    "usage_bool": each(lambda _: True),
    "usage_nulls": each(lambda _: None),
    "usage_total_off": total_off,
    "usage_cached_over_prompt": cached_over_prompt,
    "usage_prompt_only": prompt_only,
    "usage_custom": value(CUSTOM),
    "usage_missing": missing,
    "usage_twice": twice,
    "usage_twice_differing": twice_differing,
    "usage_on_content": on_content,
    "usage_every_chunk": every_chunk,
    "usage_first": first,
    "usage_after_done": after_done,
}


@pytest.mark.parametrize(("name", "kind"), cases(usages.FAULTS))
def test_the_wire_shows_the_fault(shared: Running, name: str, kind: str) -> None:
    """The answer is right but for its usage; the journal knows the truth and what was reported."""
    answer = provoke(shared, name, kind, usage=CUSTOM)
    CLAIMS[name](answer)
    if name != "usage_after_done":
        whole(answer)
    assert served(answer)["usage"] == truth(answer)
    assert served(answer)["reported"] == (answer.usages[-1] if answer.usages else None)


def test_a_stream_shows_the_fault_to_a_client_that_did_not_ask(shared: Running) -> None:
    """Some providers report unasked, so these faults do; `usage_missing` stays silent for one that asked."""
    answer = shared.chat(stream=True, script={"fault": "usage_zero"})
    assert numbers(answer.usages) != []
    asked = shared.chat(
        stream=True, script={"fault": "usage_missing"}, stream_options={"include_usage": True}
    )
    assert asked.usages == []
