"""Body logging through a running gateway: nothing of anybody until it is switched on, then exactly what passed."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from application.bodies import read_body, set_logging
from domain.fact import SYSTEM
from domain.refusal import NotFound
from tests.api.v1.gateway_world import World, ask
from tests.waiting import until


def show(world: World, request_id: str) -> read_body.ShownBody | None:
    command = read_body.ReadBody(request_id=UUID(request_id), reason="test")
    try:
        return read_body.handle(command, actor=SYSTEM, ports=world.ports)
    except NotFound:
        return None


def switch(world: World, account_id: UUID, *, enabled: bool) -> None:
    command = set_logging.SetBodyLogging(account_id=account_id, enabled=enabled, reason="test")
    set_logging.handle(command, actor=SYSTEM, ports=world.ports)


def shown(world: World, request_id: str) -> read_body.ShownBody:
    """It is kept soon after the answer has ended."""
    return until(lambda: show(world, request_id))


@pytest.fixture(scope="module")
def logged_key(world: World) -> Iterator[str]:
    """The secret of a key whose account has its bodies kept."""
    account_id = world.ports.ids.new()
    secret, sent = world.new_key("logged", amount_nano=10**12, account_id=account_id), list[str]()

    def is_on() -> bool:
        sent.append(world.chat(ask(), key=secret).headers["x-request-id"])
        return any(show(world, one) for one in sent)

    switch(world, account_id, enabled=True)
    until(is_on)
    yield secret
    switch(world, account_id, enabled=False)


def test_of_others_nothing_is_kept(world: World, logged_key: str) -> None:
    """Not even while somebody's bodies are."""
    plain = world.chat(ask()).headers["x-request-id"]
    shown(world, world.chat(ask(), key=logged_key).headers["x-request-id"])
    assert show(world, plain) is None


@pytest.mark.parametrize("stream", [False, True])
def test_what_passed_is_kept(world: World, logged_key: str, *, stream: bool) -> None:
    """The client's bytes and ours to it, to the last one."""
    request = json.dumps(ask(stream=stream)).encode()
    answer = world.chat(request, key=logged_key)
    body = shown(world, answer.headers["x-request-id"])
    assert body.request == request.decode()
    assert body.response == answer.text
    assert (body.status, body.complete) == (200, True)
    assert body.response_bytes == len(answer.content)


def test_a_refused_request_is_kept_without_an_answer(world: World, logged_key: str) -> None:
    """What was asked is there; the refusal's words are in its code."""
    answer = world.chat(ask("no-such-model"), key=logged_key)
    assert answer.status_code == 404
    body = shown(world, answer.headers["x-request-id"])
    assert "no-such-model" in body.request
    assert (body.status, body.response, body.complete) == (0, "", False)


def test_the_outcomes_are_counted(world: World, logged_key: str) -> None:
    """Among the metrics of the process."""
    shown(world, world.chat(ask(), key=logged_key).headers["x-request-id"])
    text = world.client.get("/metrics").text
    assert 'tokenok_bodies_total{outcome="dropped"} 0.0' in text
    assert 'tokenok_bodies_total{outcome="kept"} 0.0' not in text
