"""A minimum of bytes a second: an answer that keeps it is never left, one that does not is, and no clock but the loop's counts."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.gateway.pace import PacedResponse, paced
from application.upstream import UpstreamAnswerTooLarge, UpstreamError, UpstreamTimeout, UpstreamTooSlow
from domain.catalogue.deployment_spec import Timeouts
from tests.application.gateway.exchange_world import Response

BYTES_S = 100
WINDOW_S = 10.0
IDLE_S = 60.0
SILENT = 10_000.0

Pieces = Sequence[tuple[float, bytes]]  # how long each is waited for


class Timed(Response):
    """Its pieces come after so many seconds of waiting, on a clock of its own. It keeps its limits as a real one does."""

    def __init__(self, pieces: Pieces) -> None:
        super().__init__([])
        self.now_s = 0.0
        self.waited_s = 0.0
        self._coming = list(pieces)
        self._silent_s = 0.0

    async def receive(self, *, idle_s: float, ping_s: float | None = None) -> bytes | None:
        if not self._coming:
            self.at_end = True
            return b""
        wait_s, piece = self._coming[0]
        until_s = min(idle_s - self._silent_s, SILENT if ping_s is None else ping_s)
        if wait_s > until_s:
            self._coming[0] = wait_s - until_s, piece
            self._pass(until_s)
            if self._silent_s >= idle_s:
                self.closed = True
                raise UpstreamTimeout("idle")
            return None
        self._pass(wait_s)
        self._silent_s = 0.0
        del self._coming[0]
        return piece

    def _pass(self, wait_s: float) -> None:
        self.now_s += wait_s
        self.waited_s += wait_s
        self._silent_s += wait_s


def held(response: Timed) -> PacedResponse:
    return PacedResponse(response, bytes_s_min=BYTES_S, window_s=WINDOW_S, now_s=lambda: response.now_s)


def end_of(response: Timed, *, idle_s: float = IDLE_S) -> bytes | UpstreamError:
    """Its body, or why there is none."""
    try:
        return asyncio.run(held(response).read(10**6, idle_s=idle_s))
    except UpstreamError as error:
        return error


@pytest.mark.parametrize(
    ("pieces", "after_s"),
    [
        ([(1.0, b"x" * 99)] * 100, 10.0),
        ([(4.0, b"x" * 100)] * 100, 12.0),
        ([(SILENT, b"")], 10.0),
        ([(4.0, b"x" * 399)] * 100, 12.0),
        ([(1.0, b"x" * 2_000), (SILENT, b"")], 11.0),
        ([(5.0, b"x" * 600)] * 2 + [(5.0, b"x" * 499)] * 3, 20.0),
    ],
    ids=["a byte a second less", "much less", "silent", "in gaps", "silent after a burst", "slower later"],
)  # fmt: skip
def test_an_answer_below_the_minimum_is_left(pieces: Pieces, after_s: float) -> None:
    """With the first bytes after a window, or after the silence of one; its connection is cut."""
    response = Timed(pieces)
    assert isinstance(end_of(response), UpstreamTooSlow)
    assert response.closed
    assert response.waited_s == pytest.approx(after_s)


@given(
    pieces=st.lists(st.tuples(st.floats(0, WINDOW_S), st.integers(0, 500)), max_size=40).map(
        lambda gaps: [(wait_s, b"x" * (int(wait_s * BYTES_S) + 1 + more)) for wait_s, more in gaps]
    )
)
def test_an_answer_that_keeps_the_minimum_in_every_gap_is_read_whole(pieces: Pieces) -> None:
    """However its gaps and its pieces are."""
    assert end_of(Timed(pieces)) == b"".join(piece for _, piece in pieces)


@given(
    gaps=st.lists(st.tuples(st.floats(0.5, 9), st.floats(0, 0.99)), min_size=45, max_size=60),
)
def test_an_answer_below_the_minimum_in_every_gap_is_left_within_two_windows(
    gaps: list[tuple[float, float]],
) -> None:
    """However its gaps and its pieces are: a window ends with what comes next after it."""
    pieces = [(wait_s, b"x" * max(1, int(wait_s * BYTES_S * share))) for wait_s, share in gaps]
    response = Timed(pieces)
    assert isinstance(end_of(response), UpstreamTooSlow)
    assert WINDOW_S <= response.waited_s + 1e-6 <= 2 * WINDOW_S


def test_a_short_answer_may_take_its_time() -> None:
    """Within the window, and with its last bytes also after it."""
    assert end_of(Timed([(9.0, b"x"), (0.5, b"y")])) == b"xy"

    class Ending(Timed):
        async def receive(self, *, idle_s: float, ping_s: float | None = None) -> bytes | None:
            piece = await super().receive(idle_s=SILENT, ping_s=ping_s)
            self.at_end = True
            return piece

    assert end_of(Ending([(11.0, b"x")])) == b"x"


def test_an_idle_limit_that_is_tighter_stays_a_timeout() -> None:
    """The two failures have names of their own."""
    error = end_of(Timed([(SILENT, b"")]), idle_s=9.0)
    assert isinstance(error, UpstreamTimeout)
    assert error.phase == "idle"


def test_a_slow_client_is_not_the_upstreams_fault() -> None:
    """Time that is not waited for bytes does not count, however much of it there is."""

    async def main() -> int:
        response = Timed([(0.1, b"x" * 10)] * 50)
        paced_response, count = held(response), 0
        while await paced_response.receive(idle_s=IDLE_S):
            response.now_s += 1_000
            count += 1
        return count

    assert asyncio.run(main()) == 50


def test_pings_do_not_win_time() -> None:
    """A silence that is looked at in between is one silence."""

    async def main() -> tuple[int, float]:
        response = Timed([(SILENT, b"")])
        paced_response, pings = held(response), 0
        try:
            while await paced_response.receive(idle_s=IDLE_S, ping_s=3.0) is None:
                pings += 1
        except UpstreamTooSlow:
            return pings, response.waited_s
        raise AssertionError("it went on")

    assert asyncio.run(main()) == (3, WINDOW_S)


def test_the_rest_is_that_of_the_response() -> None:
    """Head, pieces, end and bound."""

    async def main() -> None:
        response = Timed([(0.0, b"one"), (0.0, b"two")])
        paced_response = held(response)
        assert (paced_response.status, paced_response.headers) == (response.status, response.headers)
        assert [one async for one in paced_response.aiter_raw(idle_s=IDLE_S)] == [b"one", b"two"]
        assert paced_response.at_end
        large = Timed([(0.0, b"12345")])
        with pytest.raises(UpstreamAnswerTooLarge):
            await held(large).read(4, idle_s=IDLE_S)
        assert large.closed

    asyncio.run(main())


def test_without_a_minimum_nothing_is_measured() -> None:
    """The response is the upstream's own; a minimum without a window has ten seconds."""

    async def main() -> None:
        response = Response([])
        assert paced(response, Timeouts()) is response
        assert isinstance(paced(response, Timeouts(bytes_s_min=1)), PacedResponse)

    asyncio.run(main())
