"""How both SDKs show what is refused, and how often they ask again: never where it cannot help."""

from typing import Any

import anthropic
import openai
import pytest

from tests.api.v1.gateway_world import POOR_NANO, World

SDKS = ("openai", "anthropic")
RETRIES = 2  #: of both SDKs, if not told otherwise


class Asking:
    """One SDK, and how many requests it took to be refused at last."""

    def __init__(self, world: World, sdk: str) -> None:
        self._world = world
        self._sdk = sdk
        self.sent = 0

    def refused(
        self, *, key: str | None = None, retries: int = RETRIES, text: str = "hi", **fields: Any
    ) -> Any:
        """The SDK's own error."""
        asked: Any = {
            "model": "on-openai",
            "max_tokens": 4_000,
            "messages": [{"role": "user", "content": text}],
        }
        given: Any = {"api_key": key or self._world.seed.api_key, "max_retries": retries}
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as caught:
            self._ask(given, asked | fields)
        error: Any = caught.value
        self.sent = 1 + int(error.request.headers["x-stainless-retry-count"])
        return error

    def _ask(self, given: Any, asked: Any) -> None:
        if self._sdk == "openai":
            with openai.OpenAI(base_url=f"{self._world.url}/v1", **given) as client:
                client.chat.completions.create(**asked)
        else:
            with anthropic.Anthropic(base_url=self._world.url, **given) as other:
                other.messages.create(**asked)


@pytest.fixture(params=SDKS)
def asking(world: World, request: pytest.FixtureRequest) -> Asking:
    return Asking(world, request.param)


def shown(error: Any) -> tuple[str, int, str]:
    """Class, status and the code that a program would look at."""
    body = error.body
    code = body["error"]["type"] if isinstance(error, anthropic.APIError) else body["code"]
    return type(error).__name__, error.status_code, code


def test_a_key_that_is_none(asking: Asking) -> None:
    """Said once, in both SDKs' own class for it."""
    error = asking.refused(key="tk_live_wrong")
    assert shown(error)[:2] == ("AuthenticationError", 401)
    assert shown(error)[2] in {"invalid_api_key", "authentication_error"}
    assert asking.sent == 1


def test_credit_that_does_not_cover(asking: Asking, world: World) -> None:
    """402 is said once; the numbers are in the message."""
    error = asking.refused(key=world.new_key("poor client", amount_nano=POOR_NANO))
    assert error.status_code == 402
    assert shown(error)[2] in {"insufficient_quota", "billing_error"}
    assert "credit" in error.message
    assert asking.sent == 1


def test_a_model_that_is_not_there(asking: Asking) -> None:
    """404 is said once, and the message names the model."""
    error = asking.refused(model="no-such-model")
    assert shown(error)[:2] == ("NotFoundError", 404)
    assert "no-such-model" in error.message
    assert asking.sent == 1


def test_a_limit_of_the_key(asking: Asking, world: World) -> None:
    """429 says when to come again, within what both SDKs are ready to wait."""
    key = world.new_key("limited client", amount_nano=10**10, rpm=1)
    asking.refused(key=key, retries=0, model="no-such-model")
    client = openai.OpenAI(base_url=f"{world.url}/v1", api_key=key, max_retries=0)
    with client:
        client.chat.completions.create(model="on-openai", messages=[{"role": "user", "content": "hi"}])
    error = asking.refused(key=key, retries=0)
    assert shown(error)[:2] == ("RateLimitError", 429)
    assert 1 <= int(error.response.headers["retry-after"]) <= 60


@pytest.mark.parametrize(("status", "requests"), [(400, 1), (401, 1), (429, 2), (500, 2)])
def test_what_the_upstream_refused(asking: Asking, status: int, requests: int) -> None:
    """A provider's bad request or our bad secret there cannot be mended by asking again; what passes can."""
    error = asking.refused(model=f"fail-{status}", text=f"fail {status}", retries=1)
    assert error.status_code == (400 if status == 400 else error.status_code)
    assert (error.status_code >= 500) == (status != 400)
    assert asking.sent == requests
