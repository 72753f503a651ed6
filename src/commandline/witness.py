"""Commands of a witness: a key of its own, and the server. They need neither database nor settings."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any, Final

from adapters.sealing.ed25519 import Ed25519Signer, new_key, verify
from adapters.sealing.witness_server import WitnessDirectory, WitnessServer
from application.clock import SystemClock
from application.sealing.witness import Witness
from commandline.outcome import Outcome, Tool, add_tool
from commandline.parser import BadArgument
from domain.sealing.cosignatures import WitnessKey
from domain.sealing.notes import public_key
from settings import Settings

_PORT: Final = 8440
_WORDS: Final = """\
A witness signs a log's checkpoint only if it goes on from the one that it signed last (C2SP tlog-witness). Run it where the
operator of the log has no hand in it, with TLS before it, and give the operator its URL and public key for WITNESSES."""


def add_witness(verbs: Any) -> None:
    """Parsers of `tokenok witness`."""
    made = add_tool(verbs, "new-key", run_new_key, "make a key for a witness of this name")
    made.add_argument("name", metavar="NAME", help="such as witness.example/w1, without https://")
    made.epilog = "The private key goes to standard output: put it into a file of mode 0600."
    shown = add_tool(verbs, "key", run_key, "the public key of a witness")
    serving = add_tool(verbs, "serve", run_serve, "run a witness")
    serving.epilog = _WORDS
    for parser in (shown, serving):
        parser.add_argument("--key-file", type=Path, required=True, metavar="FILE", help="its private key")
    serving.add_argument(
        "--log", action="append", required=True, metavar="KEY", help="public key of a log to be witnessed"
    )
    serving.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="what it signed last; never take it back"
    )
    serving.add_argument("--host", default="127.0.0.1", help="(%(default)s)")
    serving.add_argument("--port", type=int, default=_PORT, metavar="NUMBER", help="(%(default)s)")


def run_new_key(_settings: Settings, values: argparse.Namespace) -> Outcome:
    private = new_key(values.name)
    return Outcome({"private": private, "public": _public(private)}, text=f"{private}\n")


def run_key(_settings: Settings, values: argparse.Namespace) -> Outcome:
    public = _public(_read(values.key_file))
    return Outcome({"public": public}, text=f"{public}\n")


def run_serve(_settings: Settings, values: argparse.Namespace) -> Outcome:
    witness = Witness(
        signer=Ed25519Signer.read(_read(values.key_file)),
        logs=[public_key(text) for text in values.log],
        state=WitnessDirectory(values.state),
        clock=SystemClock(),
        verify=verify,
    )
    try:
        server = WitnessServer((values.host, values.port), witness)
    except OSError as error:
        raise BadArgument(f"cannot listen on {values.host}:{values.port}: {error.strerror}") from None
    with server:
        sys.stderr.write(f"listening on http://{values.host}:{server.server_address[1]}\n")
        sys.stderr.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return Outcome({"stopped": True})


def _public(private: str) -> str:
    public = Ed25519Signer.read(private).public
    return WitnessKey(public.name, public.key).text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadArgument(f"cannot read {path}: {error.strerror}") from None


#: Needs no database to be found first.
WITNESS_WITHOUT_DATABASE: Final[frozenset[Tool]] = frozenset({run_new_key, run_key, run_serve})
