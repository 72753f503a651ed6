"""`python -m sandbox`: arguments, signals, exit code."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from pathlib import Path

import uvloop

from sandbox import models
from sandbox.app import Sandbox
from sandbox.journal import Journal
from sandbox.server import Server, write_ready_file
from sandbox.tokens import NoVocabulary, default_cache_dir


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="An OpenAI-compatible provider that is none."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--ready-file", type=Path, help="written when requests are served: JSON with base_url and pid"
    )
    parser.add_argument("--api-key", help="refuse every other key with 401")
    parser.add_argument(
        "--api-key-file", type=Path, help="the same from a file, which a process list does not show"
    )
    parser.add_argument(
        "--journal", type=Path, help="append a JSON line at the start and at the end of every request"
    )
    parser.add_argument(
        "--journal-lines", type=int, default=100_000, help="lines kept in memory for /_sandbox/journal"
    )
    parser.add_argument(
        "--model", action="append", default=[], help="a model to serve too, besides those of the catalogue"
    )
    return parser.parse_args(argv)


async def serve(args: argparse.Namespace, api_key: str | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    models.serve_also(args.model)
    journal = Journal(path=args.journal, lines_max=args.journal_lines)
    server = Server(Sandbox(api_key=api_key, journal=journal), host=args.host)
    vocabulary = os.environ.get("TIKTOKEN_CACHE_DIR") or default_cache_dir()
    await server.start(args.port, vocabulary=Path(vocabulary))
    # What is loaded now stays: spare every collection the walk over it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    if args.ready_file:
        write_ready_file(args.ready_file, base_url=server.base_url)
    sys.stdout.write(f"sandbox provider ready at {server.base_url}\n")
    sys.stdout.flush()
    await stopping.wait()
    await server.stop()
    journal.close()


def main() -> int:
    args = arguments()
    try:
        api_key = args.api_key_file.read_text(encoding="utf-8").strip() if args.api_key_file else args.api_key
        uvloop.run(serve(args, api_key))
    except (OSError, NoVocabulary) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
