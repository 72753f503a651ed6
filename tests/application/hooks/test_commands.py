"""Commands about endpoints: secrets shown once, addresses judged, and nothing queued for who is not there."""

from uuid import UUID

import msgspec
import pytest

from application.accounts import close_account, open_account
from application.command import Ports
from application.hooks import (
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    ping_endpoint,
    register_endpoint,
    remove_endpoint,
    replay_messages,
    rotate_endpoint_secret,
)
from application.hooks.ports import EndpointRow
from application.hooks.stream import EndpointSecret, load_endpoint
from application.vault import SecretMissing, SecretRef
from domain.fact import SYSTEM
from domain.hooks.endpoint import ENDPOINTS_MAX
from domain.refusal import BadField, NotFound, WrongState
from tests.fakes import MemoryEventStore, MemoryHooks, memory_ports

URL = "https://hooks.example.com/in"


def account(ports: Ports) -> UUID:
    return open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=ports).id


def register(ports: Ports, account_id: UUID, url: str = URL, kinds: tuple[str, ...] = ()) -> EndpointSecret:
    command = register_endpoint.RegisterEndpoint(account_id=account_id, url=url, kinds=kinds)
    return register_endpoint.handle(command, actor=SYSTEM, ports=ports)


def test_the_secret_is_shown_once_and_in_no_event() -> None:
    """It is in the vault, by its version; a new one leaves the one before there, and an older one not."""
    ports = memory_ports()
    assert isinstance(ports.store, MemoryEventStore)
    account_id = account(ports)
    made = register(ports, account_id)
    secrets = [made.secret.reveal()]
    for _ in range(2):
        command = rotate_endpoint_secret.RotateEndpointSecret(endpoint_id=made.endpoint_id)
        secrets.append(rotate_endpoint_secret.handle(command, actor=SYSTEM, ports=ports).secret.reveal())
    stored = b"".join(one.state for one in ports.store.log).decode()
    assert not [one for one in secrets if one in f"{stored}{made!r}"]

    def opened(version: int) -> str:
        ref = SecretRef(provider_id=account_id, credential_id=made.endpoint_id, secret_version=version)
        return ports.vault.open(ref).reveal()

    assert [opened(3), opened(2)] == [secrets[2], secrets[1]]
    with pytest.raises(SecretMissing):
        opened(1)
    remove = remove_endpoint.RemoveEndpoint(endpoint_id=made.endpoint_id)
    remove_endpoint.handle(remove, actor=SYSTEM, ports=ports)
    with pytest.raises(SecretMissing):
        opened(3)


def test_an_address_inside_is_refused_when_it_is_typed() -> None:
    """At registration and at a change, though operators may reach it; no secret is made for it."""
    ports = memory_ports(allowlist="127.0.0.1")
    account_id = account(ports)
    made = register(ports, account_id)
    for url in ("http://127.0.0.1/in", "http://hooks.example.com/in"):
        with pytest.raises(BadField):
            register(ports, account_id, url)
        change = change_endpoint.ChangeEndpoint(endpoint_id=made.endpoint_id, url=url)
        with pytest.raises(BadField):
            change_endpoint.handle(change, actor=SYSTEM, ports=ports)
    with pytest.raises(BadField):
        register(ports, account_id, kinds=("nonsense",))
    assert load_endpoint(ports.store, made.endpoint_id).url == URL


def test_accounts_have_a_bounded_number_of_endpoints() -> None:
    """A closed one gets none; one that is not there neither."""
    ports = memory_ports()
    assert isinstance(ports.hooks, MemoryHooks)
    account_id = account(ports)
    endpoint = load_endpoint(ports.store, register(ports, account_id).endpoint_id)
    row = EndpointRow(endpoint=endpoint, waiting=0, delivered_us=None, failed_us=None)
    ports.hooks.rows = [row] * ENDPOINTS_MAX
    with pytest.raises(WrongState, match="full"):
        register(ports, account_id)
    ports.hooks.rows = []
    close = close_account.CloseAccount(account_id=account_id, reason="x")
    close_account.handle(close, actor=SYSTEM, ports=ports)
    for one in (account_id, UUID(int=99)):
        with pytest.raises((WrongState, NotFound)):
            register(ports, one)


def test_it_is_disabled_enabled_and_changed() -> None:
    """As the log says afterwards."""
    ports = memory_ports()
    made = register(ports, account(ports))
    disable = disable_endpoint.DisableEndpoint(endpoint_id=made.endpoint_id, reason="moving")
    disable_endpoint.handle(disable, actor=SYSTEM, ports=ports)
    assert load_endpoint(ports.store, made.endpoint_id).state == "disabled"
    enable = enable_endpoint.EnableEndpoint(endpoint_id=made.endpoint_id)
    enable_endpoint.handle(enable, actor=SYSTEM, ports=ports)
    change = change_endpoint.ChangeEndpoint(
        endpoint_id=made.endpoint_id, url=f"{URL}/b", kinds=("order.credited",)
    )
    change_endpoint.handle(change, actor=SYSTEM, ports=ports)
    endpoint = load_endpoint(ports.store, made.endpoint_id)
    assert (endpoint.state, endpoint.url, endpoint.kinds) == ("enabled", f"{URL}/b", ("order.credited",))


def test_pings_and_replays_go_through_the_queue() -> None:
    """And only for an endpoint that there is."""
    ports = memory_ports()
    assert isinstance(ports.hooks, MemoryHooks)
    made = register(ports, account(ports))
    ping = ping_endpoint.PingEndpoint(endpoint_id=made.endpoint_id)
    pinged = ping_endpoint.handle(ping, actor=SYSTEM, ports=ports)
    ((endpoint_id, message),) = ports.hooks.queued
    assert (endpoint_id, message.message_id) == (made.endpoint_id, pinged.message_id)
    assert msgspec.json.decode(message.body)["type"] == "ping"
    replay = replay_messages.ReplayMessages(endpoint_id=made.endpoint_id, message_id="msg_1")
    assert replay_messages.handle(replay, actor=SYSTEM, ports=ports).messages == 1
    assert ports.hooks.replayed == [(made.endpoint_id, None, "msg_1")]
    for gone in (ping_endpoint.PingEndpoint(endpoint_id=UUID(int=99)),):
        with pytest.raises(NotFound):
            ping_endpoint.handle(gone, actor=SYSTEM, ports=ports)
    nowhere = replay_messages.ReplayMessages(endpoint_id=UUID(int=99), message_id="msg_1")
    with pytest.raises(NotFound):
        replay_messages.handle(nowhere, actor=SYSTEM, ports=ports)
    assert len(ports.hooks.replayed) == 1
