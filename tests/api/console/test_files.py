"""Long tables as files: in pieces over a real connection, and what shows that one is not whole."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from litestar import Litestar, Response, get
from litestar.params import FromPath

from api.console.files import INCOMPLETE, ROWS_MAX, Turn, every, file_of, stream_of
from tests.waiting import WITHIN_S, until


class Inner(msgspec.Struct, frozen=True):
    size: int
    words: dict[str, int] = {}


class Row(msgspec.Struct, frozen=True):
    number: int
    name: str = "=1"
    inner: Inner | None = None


@contextmanager
def served(turn: Turn) -> Iterator[tuple[str, uvicorn.Server]]:
    """Its files at `/csv` and `/json`, by the server that the console has."""

    @get("/{form:str}")
    async def table(form: FromPath[str]) -> Response[Any]:
        return await stream_of(turn, name="table", form=form)

    app = Litestar([table], openapi_config=None, logging_config=None)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http="httptools", lifespan="off", log_config=None, ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.should_exit = True
        thread.join()


def numbers(pages: int) -> Turn:
    def turn(at: Any) -> tuple[Any, Any]:
        page = at or 0
        rows = [Row(number) for number in range(100 * page, 100 * page + 100)]
        return rows, page + 1 if page + 1 < pages else None

    return turn


def test_every_page_is_in_the_file() -> None:
    """Far more rows than were once taken; in both forms the same as of a list that is there already."""
    with served(numbers(120)) as (url, _), httpx.Client(trust_env=False) as client:
        rows = client.get(f"{url}/json").json()
        assert [row["number"] for row in rows] == list(range(12_000))
        head, *lines = client.get(f"{url}/csv").text.splitlines()
    assert head == "number,name,inner.size,inner.words"
    assert (len(lines), lines[-1]) == (12_000, "11999,'=1,,")
    some = [Row(7, inner=Inner(1, {"a": 2})), Row(8)]
    assert file_of(some, name="x", form="csv").content.decode().splitlines()[1:] == [
        '7,\'=1,1,"{""a"":2}"',
        "8,'=1,,",
    ]
    assert file_of([], name="x", form="json").content == b"[]"


def test_the_first_rows_come_before_the_last_are_read() -> None:
    """And for whoever leaves nothing more is read, though there is always another page."""
    may_go_on, is_on_second = threading.Event(), threading.Event()

    def turn(at: Any) -> tuple[Any, Any]:
        if at is not None:
            is_on_second.set()
            may_go_on.wait()
        return [Row(0)], 1

    with served(turn) as (url, server):
        with httpx.Client(trust_env=False) as client, client.stream("GET", f"{url}/csv") as answer:
            pieces = answer.iter_raw()  # kept: an iterator that is dropped closes the connection
            assert next(pieces).startswith(b"number,")
            assert is_on_second.wait(WITHIN_S)
        may_go_on.set()
        until(lambda: not server.server_state.tasks)


@pytest.mark.parametrize(("form", "end"), [("csv", f"{INCOMPLETE}\r\n"), ("json", '"inner":null}')])
def test_what_breaks_off_says_so(form: str, end: str) -> None:
    """The connection is cut, the CSV has a last line that says it, and the JSON does not end."""

    def turn(at: Any) -> tuple[Any, Any]:
        if at is not None:
            raise RuntimeError
        return [Row(0)], 1

    got: list[bytes] = []
    with (
        served(turn) as (url, _),
        httpx.Client(trust_env=False) as client,
        client.stream("GET", f"{url}/{form}") as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        got.extend(answer.iter_raw())
    assert b"".join(got).decode().endswith(end)


def test_what_fails_at_first_has_a_status() -> None:
    """No answer has begun then."""

    def turn(_at: Any) -> tuple[Any, Any]:
        raise RuntimeError

    with served(turn) as (url, _), httpx.Client(trust_env=False) as client:
        assert client.get(f"{url}/csv").status_code == 500


def test_what_a_page_has_whole_is_bounded_unless_it_is_told() -> None:
    """An export for whoever leaves has all, a page no more than it can show."""
    assert len(every(numbers(120))) == ROWS_MAX
    assert len(every(numbers(120), rows_max=12_001)) == 12_000
