"""Requests/s, latency and CPU per request of whole gateways in one run: the sandbox itself, nginx, Tokenok, rivals.

    ./run bench gateways [--seconds 8] [--connections 64] [--litellm BIN] [--portkey DIR]

Needs `wrk`; nginx and the rivals are left out, and named, where they are not installed. CPU is that of *all*
processes of a candidate (for Tokenok: gateways, worker, scheduler, Postgres, Valkey), read from /proc, without
the sandbox and the load generator. Everything runs on this machine; compare ratios, not figures.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

TICKS_S = os.sysconf("SC_CLK_TCK")
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %(key)s"
%(headers)s
wrk.body = '%(body)s'
%(delay)s
done = function(summary, latency)
  io.write(string.format('RESULT {"requests":%%d,"us":%%d,"bad":%%d,"p50":%%d,"p99":%%d}\\n', summary.requests,
    summary.duration, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One gateway that runs: where to post, with what, and the process whose whole tree is counted."""

    name: str
    url: str
    key: str
    model: str
    pid: int
    headers: str = ""


def body(model: str, *, is_stream: bool) -> str:
    request = {
        "model": model,
        "messages": [{"role": "user", "content": "Tell me about the sea, the wind and the stars."}],
        "max_tokens": 50,
        "stream": is_stream,
    }
    return json.dumps(request)


def load(
    one: Candidate, *, connections: int, seconds: int, is_stream: bool, rate_s: float | None = None
) -> dict[str, int]:
    """One run at full load, or at about `rate_s` requests/s: each connection then thinks before it asks again.

    Thinking times are spread evenly around their mean and are no part of a latency.
    """
    delay = ""
    if rate_s is not None:
        mean_ms = connections / rate_s * 1000
        delay = f"delay = function() return math.random({int(mean_ms / 2)}, {int(mean_ms * 1.5)}) end"
    with TemporaryDirectory() as folder:
        script = Path(folder, "post.lua")
        told = {"key": one.key, "headers": one.headers, "body": body(one.model, is_stream=is_stream)}
        script.write_text(SCRIPT % {**told, "delay": delay})
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
        command += ["-s", str(script), one.url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result: dict[str, int] = json.loads(
        next(line for line in said.splitlines() if line.startswith("RESULT"))[7:]
    )
    return result


def measure(
    one: Candidate, *, connections: int, seconds: int, is_stream: bool, rate_s: float | None = None
) -> dict[str, float]:
    """What `load` shows, and the CPU that all of a candidate's processes used for it."""
    before = cpu_s(one.pid)
    result = load(one, connections=connections, seconds=seconds, is_stream=is_stream, rate_s=rate_s)
    time.sleep(2)  # what is done behind a request, such as read models, is part of its cost
    used_s = cpu_s(one.pid) - before
    return {
        "requests_s": result["requests"] / result["us"] * 1e6,
        "cpu_us": used_s / max(1, result["requests"]) * 1e6,
        "p50_ms": result["p50"] / 1000,
        "p99_ms": result["p99"] / 1000,
        "bad": result["bad"],
    }


def cpu_s(root: int) -> float:
    """CPU time of a process and all its living descendants, but for the sandbox."""
    total = 0
    for pid in tree(root):
        try:
            if "-m sandbox" in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                continue
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_S


def tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))
    except OSError:
        return


@contextmanager
def process(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]  # options are Popen's
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(timeout=60)
        except subprocess.TimeoutExpired:
            running.kill()


def wait_for(url: str, *, seconds: float = 120) -> None:
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        try:
            urllib.request.urlopen(url, timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(url)


def tokenok(stack: ExitStack, folder: Path) -> tuple[Candidate, str]:
    """Ours, with its own sandbox, which the others use too; its address comes second."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "cli", "up", "--port", "0", "--data", str(folder / "data")]
    running = stack.enter_context(process([*command, "--ready-file", str(ready)]))
    while not ready.exists():
        if running.poll() is not None:
            raise SystemExit("tokenok up ended")
        time.sleep(0.1)
    told = json.loads(ready.read_bytes())
    sandbox = json.loads((folder / "data/run/sandbox.json").read_bytes())["base_url"]
    url = f"{told['base_url']}/chat/completions"
    return Candidate(
        name="tokenok", url=url, key=told["api_key"], model="demo-fast", pid=running.pid
    ), sandbox


def verified(folder: Path) -> str:
    """What the ledger says of itself after all that."""
    told = json.loads((folder / "ready.json").read_bytes())
    environ = {**os.environ, "DATABASE_URL": told["database_url"]}
    command = [sys.executable, "-m", "cli", "ledger", "verify"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False).stdout.strip()


def nginx(stack: ExitStack, folder: Path, sandbox: str) -> Candidate:
    port = 18_080
    host = sandbox.removeprefix("http://").removesuffix("/v1")
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;"
        "events { worker_connections 1024; } http { access_log off;"
        f"client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};"
        f"uwsgi_temp_path {folder}; scgi_temp_path {folder};"
        f"upstream s {{ server {host}; keepalive 128; }} server {{ listen 127.0.0.1:{port};"
        'location / { proxy_pass http://s; proxy_http_version 1.1; proxy_set_header Connection ""; } } }'
    )
    running = stack.enter_context(process(["nginx", "-c", str(config), "-p", str(folder)]))
    wait_for(f"http://127.0.0.1:{port}/v1/models")
    return Candidate(
        name="nginx",
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        key="x",
        model="sandbox-fast",
        pid=running.pid,
    )


def litellm(stack: ExitStack, folder: Path, sandbox: str, binary: str) -> Candidate:
    port = 18_081
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n  - model_name: demo\n    litellm_params:\n      model: openai/sandbox-fast\n"
        f"      api_base: {sandbox}\n      api_key: x\n"
    )
    environ = {
        **os.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        "NO_PROXY": "*",
    }
    command = [
        binary,
        "--config",
        str(config),
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--num_workers",
        "1",
    ]
    running = stack.enter_context(process(command, env=environ))
    wait_for(f"http://127.0.0.1:{port}/health/liveliness")
    return Candidate(
        name="litellm",
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        key="x",
        model="demo",
        pid=running.pid,
    )


def portkey(stack: ExitStack, sandbox: str, folder: str) -> Candidate:
    port = 18_082
    start = Path(folder, "node_modules/@portkey-ai/gateway/build/start-server.js")
    running = stack.enter_context(process(["node", str(start), f"--port={port}", "--headless"]))
    wait_for(f"http://127.0.0.1:{port}/")
    headers = (
        f'wrk.headers["x-portkey-provider"] = "openai"\nwrk.headers["x-portkey-custom-host"] = "{sandbox}"'
    )
    return Candidate(
        name="portkey",
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        key="x",
        model="sandbox-fast",
        pid=running.pid,
        headers=headers,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--litellm", default=shutil.which("litellm") or "")
    parser.add_argument("--portkey", default="")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed (Debian: apt install wrk)")
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(TemporaryDirectory(prefix="tokenok-bench-", ignore_cleanup_errors=True))
        )
        folder.chmod(0o711)
        ours, sandbox = tokenok(stack, folder)
        direct = Candidate(
            name="sandbox", url=f"{sandbox}/chat/completions", key="x", model="sandbox-fast", pid=0
        )
        candidates = [direct, ours]
        if shutil.which("nginx"):
            candidates.insert(1, nginx(stack, folder, sandbox))
        if options.litellm:
            candidates.append(litellm(stack, folder, sandbox, options.litellm))
        if options.portkey:
            candidates.append(portkey(stack, sandbox, options.portkey))
        left_out = {"nginx", "litellm", "portkey"} - {one.name for one in candidates}
        print(f"left out, not given: {', '.join(sorted(left_out)) or 'none'}")
        for is_stream in (False, True):
            compare(candidates, connections=options.connections, seconds=options.seconds, is_stream=is_stream)
        print(f"\n{verified(folder)}")


def compare(candidates: list[Candidate], *, connections: int, seconds: int, is_stream: bool) -> None:
    """One table: each candidate at full load, then at half of it, beside the sandbox alone at that same rate."""
    print(f"\n{'stream' if is_stream else 'JSON'}: {connections} connections, {seconds} s a run")
    print(
        f"{'':10}{'req/s':>9}{'CPU us':>9}{'p50 ms':>9}{'p99 ms':>9}{'not 2xx':>9}"
        f"{'| half load: req/s':>20}{'p50 ms':>9}{'p99 ms':>9}{'added p50':>11}{'added p99':>11}"
    )
    direct = candidates[0]
    for one in candidates:
        full = measure(one, connections=connections, seconds=seconds, is_stream=is_stream)
        rate_s = full["requests_s"] / 2
        half = measure(one, connections=connections, seconds=seconds, is_stream=is_stream, rate_s=rate_s)
        alone = measure(direct, connections=connections, seconds=seconds, is_stream=is_stream, rate_s=rate_s)
        print(
            f"{one.name:10}{full['requests_s']:9.0f}{full['cpu_us'] if one.pid else 0:9.0f}"
            f"{full['p50_ms']:9.1f}{full['p99_ms']:9.1f}{full['bad'] + half['bad']:9.0f}"
            f"{half['requests_s']:20.0f}{half['p50_ms']:9.1f}{half['p99_ms']:9.1f}"
            f"{half['p50_ms'] - alone['p50_ms']:11.1f}{half['p99_ms'] - alone['p99_ms']:11.1f}"
        )


if __name__ == "__main__":
    main()
