"""Patching a request for one deployment: three members change, every other value keeps its bytes."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.wire.patch import patch_body

BODY = b'{"model":"alias","messages":[{"role":"user","content":"caf\\u00e9 \\/ 1.50"}],"temperature":1.50,"seed":1e2}'


def patched(
    body: bytes = BODY,
    *,
    field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens",
    bound: int | None = 9,
    usage: bool = False,
) -> bytes:
    return patch_body(body, model="up/stream", max_tokens_field=field, max_tokens=bound, include_usage=usage)


def test_the_model_and_the_bound_are_set_and_all_other_values_keep_their_bytes() -> None:
    """Escapes, number spellings and order stay as the client wrote them."""
    assert patched() == BODY.replace(b'"alias"', b'"up/stream"')[:-1] + b',"max_tokens":9}'


def test_a_model_name_is_spelled_as_json() -> None:
    """A name of the operator cannot break out of its string."""
    body = patch_body(
        BODY, model='a"b\\c\u00e9', max_tokens_field="max_tokens", max_tokens=None, include_usage=False
    )
    assert json.loads(body)["model"] == 'a"b\\c\u00e9'


@pytest.mark.parametrize("given_as", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_bound_goes_under_the_deployments_name_only(
    given_as: str, field: Literal["max_tokens", "max_completion_tokens"]
) -> None:
    """An upstream that ignored the client's spelling would answer without end."""
    request = json.loads(patched(b'{"model":"m","%b":100}' % given_as.encode(), field=field, bound=50))
    assert request == {"model": "up/stream", field: 50}


def test_without_a_bound_the_clients_members_stay() -> None:
    """For deployments that the caller does not bound."""
    body = b'{"model":"m","max_tokens":1,"max_completion_tokens":2}'
    assert json.loads(patched(body, bound=None)) == {
        "model": "up/stream",
        "max_tokens": 1,
        "max_completion_tokens": 2,
    }


@pytest.mark.parametrize(
    ("given_options", "sent"),
    [
        (b"", b'{"include_usage":true}'),
        (b',"stream_options":null', b'{"include_usage":true}'),
        (b',"stream_options":{}', b'{"include_usage":true}'),
        (b',"stream_options":{"include_usage":false}', b'{"include_usage":true}'),
        (
            b',"stream_options":{"include_obfuscation":false,"x":1.50}',
            b'{"include_obfuscation":false,"x":1.50,"include_usage":true}',
        ),
    ],
)
def test_usage_is_asked_for_beside_the_clients_other_stream_options(
    given_options: bytes, sent: bytes
) -> None:
    """Only `include_usage` is set; what else the client wants of its stream stays."""
    body = patched(b'{"model":"m","stream":true%b}' % given_options, bound=None, usage=True)
    assert body == b'{"model":"up/stream","stream":true,"stream_options":%b}' % sent


def test_stream_options_stay_where_usage_is_not_asked_for() -> None:
    """A provider that refuses `include_usage` is sent what the client wrote."""
    body = patched(b'{"model":"m","stream_options":{"include_usage":false}}', bound=None)
    assert json.loads(body)["stream_options"] == {"include_usage": False}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), VALUES), st.booleans(), st.sampled_from([None, 0, 2]))
def test_unknown_members_pass_unchanged(members: dict[str, Any], usage: bool, indent: int | None) -> None:
    """Whatever else is in a body arrives with the same value, in the same order."""
    for name in ("model", "max_tokens", "max_completion_tokens", "stream_options"):
        members.pop(name, None)
    body = json.dumps(members | {"model": "m"}, indent=indent).encode()
    sent = json.loads(patched(body, usage=usage))
    assert sent.pop("model") == "up/stream"
    assert sent.pop("max_tokens") == 9
    assert (sent.pop("stream_options", None) == {"include_usage": True}) == usage
    assert list(sent.items()) == list(members.items())


def test_recorded_requests_keep_every_other_member(requests: list[dict[str, Any]]) -> None:
    """1,300 recorded requests as they would go to a deployment."""
    ours = {"model", "max_tokens", "max_completion_tokens", "stream_options"}
    for case in requests:
        request = case["request_body"]
        sent = json.loads(patched(json.dumps(request).encode(), field="max_completion_tokens", usage=True))
        assert sent["model"] == "up/stream"
        assert sent["max_completion_tokens"] == 9
        assert "max_tokens" not in sent
        assert sent["stream_options"] == (request.get("stream_options") or {}) | {"include_usage": True}
        assert {k: v for k, v in sent.items() if k not in ours} == {
            k: v for k, v in request.items() if k not in ours
        }
