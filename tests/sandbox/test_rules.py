"""Scripts and standing rules: what wins, what hits, what repeats."""

import msgspec
import pytest

from sandbox.faults import fits
from sandbox.rules import Rule, RuleBook
from sandbox.script import BadScript, Script, parse


def book(*rules: Rule) -> RuleBook:
    made = RuleBook(fits)
    for rule in rules:
        made.add(rule)
    return made


def test_the_later_script_wins_field_by_field() -> None:
    """What it leaves open comes from the earlier one; zero is a value, not an absence."""
    earlier = Script(tokens=5, chunk_ms=20, fault="usage_zero")
    later = Script(chunk_ms=0, fault="usage_null")
    assert later.over(earlier) == Script(tokens=5, chunk_ms=0, fault="usage_null")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"no_such":"x"}', '{"chunk_ms":-1}', '{"chunk_ms":"1"}', '{"tokens":1e99}']
)
def test_an_unreadable_script_is_refused(text: str) -> None:
    """A misspelt script that was ignored would let a test pass by accident."""
    with pytest.raises(BadScript):
        parse(text)


def test_the_first_rule_that_hits_wins() -> None:
    """Rules are asked in the order they were added; another model's rule is passed by."""
    slow, fast = Script(chunk_ms=9), Script(chunk_ms=0)
    rules = book(Rule(script=slow, model="b"), Rule(script=fast), Rule(script=slow))
    assert rules.pick("a", stream=False) == fast
    assert rules.pick("b", stream=False) == slow


def test_a_rule_for_the_next_requests_is_used_up() -> None:
    """`next` counts hits only, and the rule is gone afterwards."""
    fault = Script(fault="cut_mid_stream")
    rules = book(Rule(script=fault, next=2))
    assert rules.pick("a", stream=False) is None
    assert [rules.pick("a", stream=True) for _ in range(3)] == [fault, fault, None]
    assert not rules


def test_a_probability_repeats_with_its_seed() -> None:
    """The same requests meet the same fate; about the right share of them is hit."""

    def fates(seed: int) -> list[bool]:
        rules = book(Rule(script=Script(fault="status_500"), probability=0.3, seed=seed))
        return [rules.pick("a", stream=False) is not None for _ in range(1_000)]

    assert fates(1) == fates(1)
    assert fates(1) != fates(2)
    assert 250 < sum(fates(1)) < 350


def test_one_of_several_scripts_is_drawn_among_those_that_fit() -> None:
    """A mixed bag hits JSON requests with faults for JSON only."""
    bag = [Script(fault="usage_twice"), Script(fault="truncated_json"), Script(fault="status_429")]
    rules = book(Rule(scripts=bag, seed=3))
    drawn = {rules.pick("a", stream=False) for _ in range(100)}
    assert drawn == {bag[1], bag[2]}


def test_an_unknown_field_of_a_rule_is_refused() -> None:
    """As for scripts."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"no_such":{}}', type=Rule)
