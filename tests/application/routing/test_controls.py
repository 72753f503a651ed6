"""What clients say to the gateway, read strictly."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.routing.controls import (
    NO_CONTROLS,
    Controls,
    MaxPrice,
    has_controls,
    read_controls,
    without_controls,
)
from application.routing.plan import Wishes
from application.wire.errors import InvalidRequest
from application.wire.head import parse_chat
from domain.pricing import NO_MARKUP_PPM, Tier
from tests.application.routing.views import cost

CREDIT_NANO = 10**9


def refused(**members: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read_controls(members)
    return caught.value


def test_everything_that_is_offered_is_read() -> None:
    """In one request; the sorts have their own words here."""
    found = read_controls(
        {
            "models": ["a", "b"],
            "provider": {
                "order": ["one", "two"],
                "only": ["one", "two", "three"],
                "ignore": ["four"],
                "allow_fallbacks": False,
                "sort": "price",
                "max_price": {"prompt": 1, "completion": "2.5", "request": 0.01, "image": None},
                "require_parameters": True,
            },
            "usage": {"include": True},
        }
    )
    assert found == Controls(
        models=("a", "b"),
        wishes=Wishes(
            order=("one", "two"),
            only=frozenset({"one", "two", "three"}),
            ignore=frozenset({"four"}),
            allow_fallbacks=False,
            sort="cheapest",
        ),
        max_price=MaxPrice(
            prompt_nano=CREDIT_NANO, completion_nano=CREDIT_NANO * 5 // 2, request_nano=CREDIT_NANO // 100
        ),
        require_parameters=True,
        cost_wanted=True,
    )


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"models": None},
        {"provider": None},
        {"models": [], "provider": None},
        {"usage": None},
        {"usage": {}},
        {"usage": {"include": False}},
    ],
)
def test_null_is_as_good_as_absent(members: dict[str, Any]) -> None:
    """Clients send what they do not set."""
    assert read_controls(members) is NO_CONTROLS


def test_an_empty_provider_asks_for_nothing() -> None:
    """And is no mistake."""
    assert read_controls({"provider": {}}) == Controls(wishes=Wishes())


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"models": "a"}, "models"),
        ({"models": ["a", 1]}, "models"),
        ({"models": [""]}, "models"),
        ({"models": ["a\x00"]}, "models"),
        ({"models": ["a"] * 11}, "models"),
        ({"provider": "openai"}, "provider"),
        ({"provider": ["openai"]}, "provider"),
        ({"provider": {"order": "openai"}}, "provider.order"),
        ({"provider": {"only": [1]}}, "provider.only"),
        ({"provider": {"ignore": {}}}, "provider.ignore"),
        ({"provider": {"order": ["x"] * 51}}, "provider.order"),
        ({"provider": {"allow_fallbacks": 1}}, "provider.allow_fallbacks"),
        ({"provider": {"allow_fallbacks": "false"}}, "provider.allow_fallbacks"),
        ({"provider": {"require_parameters": 0}}, "provider.require_parameters"),
        ({"provider": {"sort": "alphabet"}}, "provider.sort"),
        ({"provider": {"sort": {"by": "price"}}}, "provider.sort"),
        ({"provider": {"max_price": 1}}, "provider.max_price"),
        ({"provider": {"max_price": {"prompt": -1}}}, "provider.max_price.prompt"),
        ({"provider": {"max_price": {"prompt": "1e3"}}}, "provider.max_price.prompt"),
        ({"provider": {"max_price": {"prompt": True}}}, "provider.max_price.prompt"),
        ({"provider": {"max_price": {"prompt": 1e300}}}, "provider.max_price.prompt"),
        ({"provider": {"max_price": {"tokens": 1}}}, "provider.max_price.tokens"),
        ({"provider": {"zdr": True}}, "provider.zdr"),
        ({"provider": {"data_collection": "deny"}}, "provider.data_collection"),
        ({"provider": {"\u202e": 1}}, "provider.?"),
        ({"usage": True}, "usage"),
        ({"usage": {"include": 1}}, "usage.include"),
        ({"usage": {"exclude": True}}, "usage.exclude"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    """Silence would be taken for a yes."""
    assert refused(**members).param == param


@given(
    st.dictionaries(
        st.sampled_from(["models", "provider", "usage"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["order", "only", "sort", "max_price", "prompt", "include", "x"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=6,
        ),
    )
)
def test_nothing_else_escapes(members: dict[str, Any]) -> None:
    """Whatever the members hold."""
    try:
        found = read_controls(members)
    except InvalidRequest:
        return
    assert isinstance(found, Controls)


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","provider":{"order":["x"]},"messages":[]}',
        b'{"provider":null,"model":"m","messages":[],"models":["a"]}',
        b'{"model":"m","pr\\u006fvider":{"only":["x"]},"messages":[]}',
        b'{ "model" : "m" , "models" : [ "provider" ] , "messages" : [ ] }',
        b'{"model":"m","usage":{"include":true},"messages":[]}',
    ],
)
def test_what_goes_on_has_none_of_the_members(body: bytes) -> None:
    """However it is spelled; the others keep their values."""
    left = msgspec.json.decode(without_controls(body))
    assert left == {"model": "m", "messages": []}


def test_a_text_about_providers_is_left_alone() -> None:
    """A look at the bytes finds it, the members are not there, and not a byte changes."""
    body = b'{"model":"m","messages":[{"role":"user","content":"the \\"provider\\" or \\"models\\""}]}'
    assert without_controls(body) == body
    said = b'{"model": "m", "metadata": {"provider": "x", "models": "y"}}'
    assert without_controls(said) == said
    assert read_controls(msgspec.json.decode(said)) is NO_CONTROLS


@pytest.mark.parametrize(
    ("member", "has"),
    [
        (b'"n":1', False),
        (b'"plugins":[{}]', False),
        (b'"metadata":{"provider":"models"}', False),
        (b'"provider":null', True),
        (b'"pr\\u006fvider":{}', True),
        (b'"models":[]', True),
        (b'"usage":{"include":true}', True),
    ],
)
def test_a_request_is_looked_at_closely_only_if_it_has_a_member(member: bytes, has: bool) -> None:
    """However its name is spelled: the head that parsed it found it."""
    body = b'{"model":"m","messages":[{"role":"user","content":"\\"provider\\""}],%b}' % member
    assert has_controls(parse_chat(body).unpriced) is has


def allows(
    most: MaxPrice, *, factor_ppm: int = NO_MARKUP_PPM, prompt_tokens: int = 10, **changes: Any
) -> bool:
    price = msgspec.structs.replace(cost(CREDIT_NANO, 2 * CREDIT_NANO, request_nano=10**12), **changes)
    return most.allows(price, factor_ppm=factor_ppm, markup_ppm=NO_MARKUP_PPM, prompt_tokens=prompt_tokens)


def test_a_ceiling_is_met_to_the_nano_credit() -> None:
    """Equal is allowed, one above is not, each part by itself."""
    assert allows(MaxPrice(prompt_nano=CREDIT_NANO, completion_nano=2 * CREDIT_NANO, request_nano=10**6))
    assert not allows(MaxPrice(prompt_nano=CREDIT_NANO - 1))
    assert not allows(MaxPrice(completion_nano=2 * CREDIT_NANO - 1))
    assert not allows(MaxPrice(request_nano=10**6 - 1))
    assert allows(MaxPrice(image_nano=0))
    assert not allows(MaxPrice(image_nano=0), image_nano_per_million=1)


def test_a_ceiling_counts_markup_hour_and_tier() -> None:
    """It is what the client would pay that is compared."""
    most = MaxPrice(prompt_nano=CREDIT_NANO)
    assert not allows(most, factor_ppm=NO_MARKUP_PPM + 1)
    tier = Tier(
        above_input_tokens=1_000,
        input_nano_per_million=CREDIT_NANO + 1,
        cached_input_nano_per_million=0,
        cache_write_nano_per_million=0,
        output_nano_per_million=0,
    )
    assert allows(most, tiers=(tier,), prompt_tokens=1_000)
    assert not allows(most, tiers=(tier,), prompt_tokens=1_001)
