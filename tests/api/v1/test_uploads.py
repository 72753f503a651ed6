"""Uploads: the gateway's memory does not grow with them, and nothing of them is left on disk."""

from pathlib import Path

import pytest

from tests.api.v1.gateway_world import World
from tests.api.v1.unit_routes import LISTEN
from tests.waiting import until

MIB = 1024 * 1024
FILE_BYTES = 63 * MIB
GROWTH_BYTES_MAX = 16 * MIB
"""Interpreter and allocator noise included; the form is four times that."""


def _status_bytes(pid: int, name: str) -> int:
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith(name))
    return int(line.split()[1]) * 1024


def _open_files(pid: int) -> list[str]:
    links = []
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(one.readlink()))
        except FileNotFoundError:
            continue
    return [link for link in links if "tokenok-upload" in link or "/#" in link]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from /proc")
def test_a_form_of_63_mib_passes_in_constant_memory(world: World) -> None:
    """The peak of the gateway grows by a fraction of the form; its file is closed when the answer is there."""
    pid = world.gateway_pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak starts anew
    before = _status_bytes(pid, "VmRSS")
    answer = world.client.post(
        "/v1/audio/transcriptions",
        data={"model": LISTEN},
        files={"file": ("a.mp3", bytes(FILE_BYTES))},
        headers={"authorization": f"Bearer {world.seed.api_key}"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["seconds"] == -(-FILE_BYTES // 16_000)
    grown = _status_bytes(pid, "VmHWM") - before
    assert grown < GROWTH_BYTES_MAX, grown
    assert until(lambda: not _open_files(pid))


def test_the_file_may_come_before_the_model(world: World) -> None:
    """As a command line with `-F file=@a -F model=b` sends it: the form is known whole before it is judged."""
    part = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
    content = (
        part.format("file", '; filename="a.mp3"').encode()
        + bytes(2 * MIB)
        + b"\r\n"
        + part.format("model", "").encode()
        + LISTEN.encode()
        + b"\r\n--b--\r\n"
    )
    answer = world.client.post(
        "/v1/audio/transcriptions",
        content=content,
        headers={
            "authorization": f"Bearer {world.seed.api_key}",
            "content-type": "multipart/form-data; boundary=b",
        },
    )
    assert answer.status_code == 200, answer.text
    assert world.charge(answer.headers["x-request-id"]).units.audio_ms == -(-2 * MIB // 16_000) * 1000
