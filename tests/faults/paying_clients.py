"""Clients that ask until they have an answer, never pay twice for it, and add up what each answer says that it cost.

They know nothing but what `/v1` tells them: their sum is a third computation of what an account was charged.
"""

import asyncio
import json
import time
from decimal import Decimal
from typing import Any, Final

import httpx

ALIAS: Final = "demo-fast"
_NANO: Final = 10**9
_AGAIN: Final = frozenset({401, 404, 409, 500, 502, 503})  #: 401 and 404: of a process that has not heard yet
_ANSWER_S_MAX: Final = 90
#: Slow enough, and of so many lengths, that some requests are open at any moment.
_TOKENS: Final = (6, 11, 17, 24, 32, 40)
_PACE: Final = {"chunk_ms": 20, "first_byte_ms": 100}


class Clients:
    """Some customers with one key. `charged_nano` is what their answers add up to."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._key = key
        self.answers = 0
        self.charged_nano = 0
        self._wanted = 0
        self._have_them = asyncio.Event()
        self.broken = 0  #: tries that had no end, or were told that they were not served

    async def run(self, name: str, *, clients: int, each: int) -> None:
        """So many at once ask so many questions; plain and streamed by turns."""
        limits = httpx.Limits(max_connections=clients)
        async with httpx.AsyncClient(timeout=30, limits=limits, trust_env=False) as http:
            asked = (self._ask_all(http, f"{name}-{number}", number, each) for number in range(clients))
            await asyncio.gather(*asked)

    async def have_answers(self, count: int) -> None:
        """Wait until they have so many; they go on meanwhile."""
        self._wanted = count
        await self._have_them.wait()

    async def _ask_all(self, http: httpx.AsyncClient, name: str, client: int, each: int) -> None:
        for number in range(client, client + each):
            cost_nano = await self._ask(http, f"{name}-{number}", number)
            self.charged_nano += cost_nano
            self.answers += 1
            if self.answers >= self._wanted:
                self._have_them.set()

    async def _ask(self, http: httpx.AsyncClient, name: str, number: int) -> int:
        """The cost of one answer, in nano-credits, however often it had to be asked for."""
        is_stream = bool(number & 1)
        body = _body(name, is_stream=is_stream, tokens=_TOKENS[number // 2 % len(_TOKENS)])
        deadline = time.monotonic() + _ANSWER_S_MAX
        while True:
            try:
                answer = await http.post(
                    f"{self._base_url}/chat/completions",
                    content=body,
                    headers=self._headers | {"idempotency-key": name},
                )
            except (httpx.HTTPError, OSError):
                answer = None
            if answer is not None and answer.status_code not in _AGAIN:
                return await self._cost_nano(http, answer, is_stream=is_stream)
            self.broken += 1
            assert time.monotonic() < deadline, answer
            await asyncio.sleep(0.05)

    async def _cost_nano(self, http: httpx.AsyncClient, answer: httpx.Response, *, is_stream: bool) -> int:
        if answer.status_code == 410:  # it was served, and its answer went with the process
            return await self._told_later(http, answer.headers["x-tokenok-served-as"])
        assert answer.status_code == 200, answer.text
        return _nano(_last_usage(answer.text) if is_stream else _decoded(answer.text)["usage"]["cost"])

    async def _told_later(self, http: httpx.AsyncClient, request_id: str) -> int:
        deadline = time.monotonic() + _ANSWER_S_MAX
        while True:
            answer = await http.get(
                f"{self._base_url}/generation", params={"id": request_id}, headers=self._headers
            )
            if answer.status_code == 200:
                return _nano(_decoded(answer.text)["data"]["total_cost"])
            assert time.monotonic() < deadline, answer
            await asyncio.sleep(0.05)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}", "content-type": "application/json"}


def _body(name: str, *, is_stream: bool, tokens: int) -> str:
    return json.dumps(
        {
            "model": ALIAS,
            "messages": [{"role": "user", "content": f"What is {name}?"}],
            "max_tokens": 40,
            "stream": is_stream,
            "usage": {"include": True},
            "metadata": {"sandbox": json.dumps(_PACE | {"tokens": tokens})},
        }
    )


def _last_usage(events: str) -> Any:
    assert events.endswith("data: [DONE]\n\n"), "a stream without its end"
    documents = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: {")]
    return next(
        usage["cost"] for text in reversed(documents) if (usage := _decoded(text).get("usage")) is not None
    )


def _decoded(text: str) -> Any:
    """JSON whose numbers with a fraction stay exact."""
    return json.loads(text, parse_float=Decimal)


def _nano(cost: Any) -> int:
    nano = Decimal(cost) * _NANO
    assert nano == int(nano), "no answer tells less than a nano-credit"
    return int(nano)
