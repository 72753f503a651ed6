"""Plays every cell through a running gateway, and gathers what the client got and what the ledger says."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import httpx
import msgspec

from domain.event import Event
from domain.ledger.events import RequestReleased, UsageCharged
from tests.api.v1.gateway_world import World, end_of
from tests.conformance.replay import ended_facts
from tests.matrix.bank import Bank, Ports, alias_of, set_up, unspeakable
from tests.matrix.cells import FAULTS, Cell, Place, Surface, cells_of, placed
from tests.matrix.upstream import FaultyUpstream
from tests.waiting import until

PARALLEL: Final = 32
SILENCE_S_MAX: Final = 300  #: far more than any cell takes; other tests may be using the machine meanwhile
GROWTH_KIB_MAX: Final = 96 * 1024
"""An answer that is held whole may have as much, and several were at once; so this is little."""
SETTLING: Final = 200
KEPT_BYTES: Final = 500_000
PARALLEL_LARGE: Final = 4
ANSWER_TOKENS: Final = 64
PATHS: Final[dict[Surface, str]] = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
}


class Got(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one cell. `broken`: how the answer was no HTTP."""

    cell: Cell
    place: Place
    status: int
    headers: httpx.Headers
    content: bytes
    broken: str
    facts: list[Event]

    @property
    def ended(self) -> UsageCharged | RequestReleased | None:
        """How it ended; None if it was not admitted once and ended once."""
        return end_of(self.facts)


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Of the gateway, in KiB: before and after the floods, and the most in between."""

    before_kib: int
    after_kib: int
    most_kib: int


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `left_open`: connections at the upstream after the gateway had time to drop its idle ones."""

    got: list[Got]
    bank: Bank
    memory: Memory
    mistakes: list[str]
    left_open: int
    took_s: float


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: httpx.Headers
    content: bytes
    broken: str


def play(world: World) -> Played:
    """Returns when every request has its end in the ledger, and the gateway's idle connections are gone."""
    started_s = time.monotonic()
    cells = placed(cells_of(FAULTS.values()))
    key = world.new_key("matrix", amount_nano=10**15)
    upstream = FaultyUpstream({name: fault.play for name, fault in FAULTS.items()})
    with unspeakable() as ports:
        answers, bank, memory, left_open = asyncio.run(_play(world, upstream, cells, key, ports))
    ids = [UUID(answer.headers.get("x-request-id", str(UUID(int=0)))) for answer in answers]
    facts = until(lambda: ended_facts(world, set(ids)))
    got = [
        Got(
            cell=cell,
            place=place,
            status=answer.status,
            headers=answer.headers,
            content=answer.content,
            broken=answer.broken,
            facts=facts[request_id],
        )
        for (cell, place), answer, request_id in zip(cells, answers, ids, strict=True)
    ]
    return Played(
        got=got,
        bank=bank,
        memory=memory,
        mistakes=upstream.mistakes,
        left_open=left_open,
        took_s=time.monotonic() - started_s,
    )


async def _play(
    world: World,
    upstream: FaultyUpstream,
    cells: Sequence[tuple[Cell, Place]],
    key: str,
    ports: Ports,
) -> tuple[list[_Answer], Bank, Memory, int]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    limits = httpx.Limits(max_connections=PARALLEL)
    http = httpx.AsyncClient(
        base_url=world.url, headers=headers, timeout=SILENCE_S_MAX, trust_env=False, limits=limits
    )
    async with upstream.running(), http as client:
        bank = await asyncio.to_thread(set_up, world, cells, port=upstream.port, ports=ports, key=key)
        answers: dict[str, _Answer] = {}

        async def work(todo: Iterator[tuple[Cell, Place]]) -> None:
            for cell, place in todo:
                answers[cell.name] = await _ask(client, cell, place)

        await _all(work, [one for one in cells if not one[0].fault.alone], parallel=PARALLEL)
        large = [one for one in cells if one[0].fault.alone]
        calm = next(one for one in cells if one[0].fault.name == "dead_afterwards")
        process = process_at(world.url)
        with Watch(process) as watch:
            before_kib = after_kib = resident_kib(process)
            await _all(work, large)
            for _ in range(SETTLING):  # the C library gives room back when it is next asked for some
                after_kib = resident_kib(process)
                if after_kib - before_kib < GROWTH_KIB_MAX:
                    break
                await asyncio.to_thread(world.client.get, "/readyz")
                await _ask(client, *calm)
        memory = Memory(before_kib=before_kib, after_kib=after_kib, most_kib=watch.most_kib)
        await asyncio.to_thread(until, lambda: upstream.open == 0)
        return [answers[cell.name] for cell, _ in cells], bank, memory, upstream.open


async def _all(
    work: Callable[[Iterator[tuple[Cell, Place]]], Awaitable[None]],
    cells: Sequence[tuple[Cell, Place]],
    *,
    parallel: int = PARALLEL_LARGE,
) -> None:
    todo = iter(cells)
    await asyncio.gather(*(work(todo) for _ in range(parallel)))


async def _ask(client: httpx.AsyncClient, cell: Cell, place: Place) -> _Answer:
    """Read as far as it comes; of an endless answer, only the end is kept."""
    start, end = bytearray(), bytearray()
    request = client.build_request("POST", PATHS[cell.surface], content=_body(cell, place))
    answer = await client.send(request, stream=True)
    broken = ""
    try:
        async for piece in answer.aiter_raw():
            (start if len(start) < KEPT_BYTES else end).extend(piece)
            del end[:-KEPT_BYTES]
    except httpx.HTTPError as error:
        broken = type(error).__name__
    finally:
        await answer.aclose()
    return _Answer(answer.status_code, answer.headers, _joined(bytes(start), bytes(end)), broken)


def _joined(start: bytes, end: bytes) -> bytes:
    """What was kept of an answer; of a long stream, whole events only."""
    if len(end) < KEPT_BYTES:
        return start + end
    return start[: start.rfind(b"\n\n") + 2] + end[end.find(b"\n\n") + 2 :]


def _body(cell: Cell, place: Place) -> bytes:
    prompt = f"What is the answer? [[fault {cell.fault.name}]]"
    turns = [{"role": "user", "content": prompt}]
    body: dict[str, Any] = {"model": alias_of(place, rescued=cell.rescued), "stream": cell.stream}
    match cell.surface:
        case "chat":
            body |= {"messages": turns, "max_tokens": ANSWER_TOKENS}
        case "messages":
            body |= {"messages": turns, "max_tokens": ANSWER_TOKENS}
        case "responses":
            body |= {"input": prompt, "max_output_tokens": ANSWER_TOKENS}
    return json.dumps(body).encode()


def process_at(url: str) -> int:
    """The id of the gateway's process that listens there."""
    port = url.rpartition(":")[2]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"gateway_main" in words and port.encode() in words:
                return int(entry.name)
    raise AssertionError("no gateway listens there")


def resident_kib(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


class Watch:
    """Looks at a process' memory until it is left."""

    def __init__(self, process: int) -> None:
        self.most_kib = 0
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.most_kib = max(self.most_kib, resident_kib(self._process))
