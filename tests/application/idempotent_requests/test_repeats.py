"""What the gateway does for a keyed request when something it needs is away."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from application.eventlog import LogUnavailable
from application.gateway.refused import Refused
from application.gateway.settlement import Settlement
from application.idempotent_requests.claims import Claims
from application.idempotent_requests.kept_answers import KeptAnswer
from application.idempotent_requests.recording import Buffers
from application.idempotent_requests.repeats import Repeats, Unclaimed
from application.vault import VaultError, VaultUnavailable
from domain.ledger.events import RequestReleased
from domain.ledger.idempotency import Replay
from tests.application.gateway.exchange_world import FakeClient
from tests.application.ledger.ledger_world import ACCOUNT, ANSWER, LedgerWorld, played

THREADS = ThreadPoolExecutor(1)
KEY = b"order-1"
HEAD = [(b"content-type", b"text/plain")]


class MemoryAnswers:
    """Kept answers in a dictionary, or none at all while `fault` is set."""

    def __init__(self) -> None:
        self.kept: dict[tuple[UUID, UUID], KeptAnswer] = {}
        self.fault: VaultError | None = None

    def keep(self, answer: KeptAnswer, *, account_id: UUID, request_id: UUID) -> None:
        if self.fault is not None:
            raise self.fault
        self.kept[account_id, request_id] = answer

    def find(self, *, account_id: UUID, request_id: UUID) -> KeptAnswer | None:
        if self.fault is not None:
            raise self.fault
        return self.kept.get((account_id, request_id))


class Desk:
    """The first process of a ledger world, as far as keyed requests go."""

    def __init__(self, world: LedgerWorld) -> None:
        self.world = world
        self.answers = MemoryAnswers()
        claims = Claims(store=world.store, journal=world.first.journal, clock=world.clock, threads=THREADS)
        self.repeats = Repeats(
            claims, self.answers, Buffers(answer_bytes_max=100, bytes_max=100), threads=THREADS
        )

    async def look(self, body: bytes = b"{}") -> Unclaimed | Replay:
        return await self.repeats.look(KEY, account_id=ACCOUNT, endpoint="chat", body=body)

    async def free(self) -> Unclaimed:
        found = await self.look()
        assert isinstance(found, Unclaimed)
        return found

    async def serve(self, unclaimed: Unclaimed, client: FakeClient) -> None:
        """One request that is answered with two bytes."""
        hold = await self.world.first.hold(100)
        settlement = Settlement(hold, book=self.world.first.book, clock=self.world.clock, started_s=0)
        recording = await self.repeats.begin(unclaimed, hold, settlement, client)
        await settlement.charge(rated_nano=1, answer=ANSWER)
        await recording.start(200, HEAD)
        await recording.end(b"ok")
        await recording.close()

    async def answer_again(self) -> FakeClient:
        found = await self.look()
        assert isinstance(found, Replay)
        client = FakeClient()
        await self.repeats.answer_again(found, client, account_id=ACCOUNT)
        return client


def at_desk(scenario: Callable[[Desk], Awaitable[None]]) -> LedgerWorld:
    return played(lambda world: scenario(Desk(world)))


def test_a_request_is_served_once_and_answered_again() -> None:
    """With the head that says so and the true length."""

    async def scenario(desk: Desk) -> None:
        await desk.serve(await desk.free(), FakeClient())
        again = await desk.answer_again()
        assert (again.status, again.received, again.ended) == (200, b"ok", True)
        assert again.headers == dict([*HEAD, (b"idempotent-replayed", b"true"), (b"content-length", b"2")])

    at_desk(scenario)


def test_an_answer_that_cannot_be_kept_is_given_all_the_same() -> None:
    """It is paid. The next one hears that it was served, and as which request."""

    async def scenario(desk: Desk) -> None:
        desk.answers.fault = VaultUnavailable("test")
        client = FakeClient()
        await desk.serve(await desk.free(), client)
        assert client.received == b"ok"
        with pytest.raises(Refused) as unreadable:
            await desk.answer_again()
        assert (unreadable.value.code, unreadable.value.retry_after_s) == ("ledger_unavailable", 1)
        desk.answers.fault = None
        with pytest.raises(Refused) as refused:
            await desk.answer_again()
        assert refused.value.code == "idempotency_answer_not_kept"
        found = await desk.look()
        assert isinstance(found, Replay)
        assert refused.value.headers == [(b"x-tokenok-served-as", str(found.request_id).encode())]

    at_desk(scenario)


def test_another_body_is_refused() -> None:
    """Before anything is held."""

    async def scenario(desk: Desk) -> None:
        await desk.serve(await desk.free(), FakeClient())
        with pytest.raises(Refused) as refused:
            await desk.look(b"[]")
        assert refused.value.code == "idempotency_key_reused"

    at_desk(scenario)


def test_a_slower_request_gives_its_hold_back() -> None:
    """It found the key free, and another one claimed it first."""

    async def scenario(desk: Desk) -> None:
        first, second = await desk.free(), await desk.free()
        await desk.serve(first, FakeClient())
        with pytest.raises(Refused) as refused:
            await desk.serve(second, FakeClient())
        assert (refused.value.code, refused.value.retry_after_s) == ("idempotency_in_progress", 1)

    (released,) = at_desk(scenario).facts(RequestReleased)
    assert isinstance(released, RequestReleased)
    assert released.code == "idempotency_in_progress"


def test_without_the_log_nothing_is_served() -> None:
    """Neither looked at nor claimed: 503, and the hold is given back."""

    async def scenario(desk: Desk) -> None:
        free = await desk.free()
        desk.world.store.is_down = True
        with pytest.raises(Refused) as refused:
            await desk.look()
        assert refused.value.code == "ledger_unavailable"
        desk.world.store.is_down = False
        desk.world.first.journal.faults["idempotency.key-claimed.v1"] = LogUnavailable("test")
        with pytest.raises(Refused) as unclaimed:
            await desk.serve(free, FakeClient())
        assert unclaimed.value.code == "ledger_unavailable"

    assert len(at_desk(scenario).facts(RequestReleased)) == 1


def test_a_request_that_is_interrupted_while_it_claims_gives_its_hold_back() -> None:
    """As when the server stops."""

    async def scenario(desk: Desk) -> None:
        await desk.world.first.serve(100, 1)  # a lease is open
        free = await desk.free()
        desk.world.first.journal.pause()
        serving = asyncio.create_task(desk.serve(free, FakeClient()))
        await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        desk.world.first.journal.resume()

    (released,) = at_desk(scenario).facts(RequestReleased)
    assert isinstance(released, RequestReleased)
    assert released.code == "internal_error"
