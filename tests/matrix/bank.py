"""Sets up the gateway under test: providers, credentials and deployments, so many that no cell disturbs another."""

import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Final
from uuid import UUID

import msgspec

from application.catalogue import add_deployment, set_route, store_credential
from domain.catalogue.prices import PriceText
from domain.catalogue.provider import UsageDialect, provider_id_of
from domain.fact import SYSTEM
from domain.secret import Secret
from tests.api.v1.gateway_world import World
from tests.conformance.setting_up import add_provider, publish
from tests.matrix.answers import INPUT, MODEL, OUTPUT, Kind
from tests.matrix.cells import RESCUER, SPOKEN, Cell, Place
from tests.matrix.fault import Where

INPUT_NANO: Final = 1_000
OUTPUT_NANO: Final = 3_000
EXACT_NANO: Final = INPUT * INPUT_NANO + OUTPUT * OUTPUT_NANO
"""What the sound answer costs."""
PRICE: Final = PriceText(input="1", cached_input="0.1", cache_write="1.25", output="3", request="0")
HASTE_MS: Final = 900
HASTE_TOTAL_MS: Final = 1_800
_THREADS: Final = 8


class Bank(msgspec.Struct, frozen=True, kw_only=True):
    """What was set up, by the name of the place."""

    deployments: dict[str, UUID]
    credentials: dict[str, UUID]
    secrets: dict[str, str]
    rescuers: dict[Kind, UUID]


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where the upstreams listen that cannot be spoken to."""

    closed: int
    deaf: int
    no_tls: int
    mute_tls: int


@contextmanager
def unspeakable() -> Iterator[Ports]:
    """A port without a listener, one whose queue is full, one that speaks no TLS and one that says nothing."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        closed, deaf, plain, mute = sockets
        deaf.listen(0)
        for _ in range(3):  # nobody accepts: from the second on, connecting hangs
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        mute.listen(256)
        plain.listen(256)
        answering = threading.Thread(target=_answer_plainly, args=(plain,))
        answering.start()
        yield Ports(
            closed=closed.getsockname()[1],
            deaf=deaf.getsockname()[1],
            no_tls=plain.getsockname()[1],
            mute_tls=mute.getsockname()[1],
        )
        plain.shutdown(socket.SHUT_RDWR)
        answering.join()


def _answer_plainly(listener: socket.socket) -> None:
    while True:
        try:
            one, _ = listener.accept()
        except OSError:
            return
        with one:
            one.recv(16)
            one.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


def set_up(world: World, cells: Iterable[tuple[Cell, Place]], *, port: int, ports: Ports, key: str) -> Bank:
    """Returns when the gateway knows all of it."""
    places = {place.name: place for _, place in cells}
    origins: dict[Where, str] = {
        "plain": f"http://127.0.0.1:{port}",
        "hasty": f"http://127.0.0.1:{port}",
        "closed": f"http://127.0.0.1:{ports.closed}",
        "deaf": f"http://127.0.0.1:{ports.deaf}",
        "no_tls": f"https://127.0.0.1:{ports.no_tls}",
        "mute_tls": f"https://127.0.0.1:{ports.mute_tls}",
    }
    bank = Bank(deployments={}, credentials={}, secrets={}, rescuers={})
    for kind in SPOKEN:
        _provider(world, _good(kind), kind, base=f"http://127.0.0.1:{port}/good")
        bank.rescuers[kind] = _deployment(world, _good(kind), kind)
    lots = {_provider_of(place): place for place in places.values()}
    for name, place in lots.items():
        base = f"{origins[place.where]}/bad"
        _provider(world, name, place.kind, base=base, usage_dialect=place.usage_dialect)  # type: ignore[arg-type]  # from a fault
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(lambda place: _place(world, bank, place), places.values()))
    aliases = [alias_of(place, rescued=rescued) for place in places.values() for rescued in (False, True)]
    publish(world, dict.fromkeys(aliases, PRICE), key=key)
    return bank


def alias_of(place: Place, *, rescued: bool) -> str:
    return f"{place.name}/{'rescued' if rescued else 'alone'}"


def _provider_of(place: Place) -> str:
    return f"matrix-{place.kind}-{place.where}-{place.usage_dialect}".replace("_", "-")


def _good(kind: Kind) -> str:
    return f"matrix-good-{kind}"


def _provider(
    world: World, name: str, kind: Kind, *, base: str, usage_dialect: UsageDialect | None = None
) -> None:
    dialect, path, _ = SPOKEN[kind]
    own: UsageDialect = "openai" if usage_dialect is None else usage_dialect
    add_provider(world, name, base_url=base + path, dialect=dialect, usage_dialect=own)


def _place(world: World, bank: Bank, place: Place) -> None:
    provider = _provider_of(place)
    secret = f"matrix-secret-{place.name.replace('/', '-')}-0123456789abcdef"
    command = store_credential.StoreCredential(provider_id=provider_id_of(provider), secret=Secret(secret))
    credential = store_credential.handle(command, actor=SYSTEM, ports=world.ports).id
    hasty = place.where in ("hasty", "deaf", "mute_tls")
    deployment = _deployment(world, provider, place.kind, credential=credential, hasty=hasty)
    bank.deployments[place.name] = deployment
    bank.credentials[place.name] = credential
    bank.secrets[place.name] = secret
    alone = set_route.Target(deployment_id=deployment)
    second = set_route.Target(deployment_id=bank.rescuers[RESCUER[place.kind]])
    for rescued, targets in ((False, (alone,)), (True, (alone, second))):
        route = set_route.SetRoute(alias=alias_of(place, rescued=rescued), targets=targets)
        set_route.handle(route, actor=SYSTEM, ports=world.ports)


def _deployment(
    world: World, provider: str, kind: Kind, *, credential: UUID | None = None, hasty: bool = False
) -> UUID:
    command = add_deployment.AddDeployment(
        provider_id=provider_id_of(provider),
        upstream_model=MODEL,
        credential_id=credential,
        context_tokens=100_000,
        output_tokens_max=4_096,
        serves=(SPOKEN[kind][2],),
        connect_ms=HASTE_MS if hasty else None,
        first_byte_ms=HASTE_MS if hasty else None,
        idle_ms=HASTE_MS if hasty else None,
        total_ms=HASTE_TOTAL_MS if hasty else None,
    )
    return add_deployment.handle(command, actor=SYSTEM, ports=world.ports).id
