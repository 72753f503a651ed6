"""Commands about kept bodies: who may, what is noted, and what is shown."""

from uuid import UUID

import pytest

from application.accounts import close_account, open_account
from application.bodies import erase_bodies, read_body, set_logging
from application.bodies.ports import Body
from application.command import Ports
from application.directory import Directory
from domain.bodies import BodiesErased, BodyLoggingSet, BodyRead
from domain.fact import SYSTEM
from domain.ids import stream_of
from domain.operators import PERMISSIONS
from domain.refusal import NotFound
from domain.topics import REGISTRY
from tests.fakes import MemoryBodies, memory_ports

ACCOUNT, REQUEST = UUID(int=1), UUID(int=2)


@pytest.fixture
def ports() -> Ports:
    made = memory_ports()
    open_account.handle(open_account.OpenAccount(name="Blue", account_id=ACCOUNT), actor=SYSTEM, ports=made)
    return made


def kept(ports: Ports, *, response: bytes = b'{"answer": 1}') -> Body:
    body = Body(
        request_id=REQUEST,
        account_id=ACCOUNT,
        key_id=UUID(int=3),
        began_us=5,
        status=200,
        complete=True,
        request_bytes=15,
        response_bytes=len(response),
        request=b'{"question": 1}',
        response=response,
    )
    assert isinstance(ports.bodies, MemoryBodies)
    ports.bodies.bodies[REQUEST] = body
    return body


def facts(ports: Ports) -> list[object]:
    return [REGISTRY.decode(e.topic, e.state) for e in ports.store.read_stream(stream_of(ACCOUNT, "bodies"))]


def switch(ports: Ports, *, enabled: bool) -> None:
    command = set_logging.SetBodyLogging(account_id=ACCOUNT, enabled=enabled, reason="case 12")
    set_logging.handle(command, actor=SYSTEM, ports=ports)


def follow(ports: Ports, directory: Directory) -> bool | None:
    for event in ports.store.read_control(after_position=directory.position, limit=100):
        directory.apply(event)
    view = directory.account(ACCOUNT)
    return None if view is None else view.logs_bodies


def test_gateways_follow_the_switch(ports: Ports) -> None:
    """Off at first; and what else happens to the account changes nothing about it."""
    directory = Directory(ports.hasher)
    assert follow(ports, directory) is False
    switch(ports, enabled=True)
    assert follow(ports, directory) is True
    close = close_account.CloseAccount(account_id=ACCOUNT, reason="x")
    close_account.handle(close, actor=SYSTEM, ports=ports)
    assert follow(ports, directory) is True
    switch(ports, enabled=False)
    assert follow(ports, directory) is False
    assert [type(fact) for fact in facts(ports)] == [BodyLoggingSet, BodyLoggingSet]


def test_a_reading_is_in_the_log_before_it_is_shown(ports: Ports) -> None:
    """With the reason; a body that does not open afterwards was noted all the same."""
    body = kept(ports, response=b"\xff{}")
    command = read_body.ReadBody(request_id=REQUEST, reason="case 12")
    shown = read_body.handle(command, actor=SYSTEM, ports=ports)
    assert (shown.request, shown.response) == ('{"question": 1}', "\ufffd{}")
    assert (shown.account_id, shown.status, shown.request_bytes) == (ACCOUNT, 200, body.request_bytes)
    (fact,) = facts(ports)
    assert isinstance(fact, BodyRead)
    assert (fact.request_id, fact.reason, fact.actor) == (REQUEST, "case 12", "system")
    assert isinstance(ports.bodies, MemoryBodies)
    ports.bodies.unreadable = True
    with pytest.raises(NotFound):
        read_body.handle(command, actor=SYSTEM, ports=ports)
    assert len(facts(ports)) == 2


def test_what_is_not_kept_is_not_found(ports: Ports) -> None:
    """And nothing is noted."""
    command = read_body.ReadBody(request_id=REQUEST, reason="case 12")
    with pytest.raises(NotFound):
        read_body.handle(command, actor=SYSTEM, ports=ports)
    assert facts(ports) == []


def test_an_account_s_bodies_are_deleted_and_that_is_noted(ports: Ports) -> None:
    """Nothing is left to read."""
    kept(ports)
    command = erase_bodies.EraseBodies(account_id=ACCOUNT, reason="asked for")
    erase_bodies.handle(command, actor=SYSTEM, ports=ports)
    assert ports.bodies.account_of(REQUEST) is None
    assert [type(fact) for fact in facts(ports)] == [BodiesErased]
    unknown = erase_bodies.EraseBodies(account_id=UUID(int=99), reason="x")
    with pytest.raises(NotFound):
        erase_bodies.handle(unknown, actor=SYSTEM, ports=ports)


def test_only_admins_see_bodies() -> None:
    """Support, finance and auditors do not."""
    assert [role for role, allowed in PERMISSIONS.items() if "bodies" in allowed] == ["admin"]
    for module in (set_logging.SetBodyLogging, read_body.ReadBody, erase_bodies.EraseBodies):
        assert module.permission == "bodies"


def test_a_body_shows_nothing_of_itself(ports: Ports) -> None:
    """In a log line or a traceback."""
    assert "question" not in repr(kept(ports))
    assert "answer" not in str(kept(ports).__rich_repr__())
