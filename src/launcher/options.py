"""The options of `tokenok up`, and where its data lies."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_DATA_NAME = ".tokenok"


@dataclass(frozen=True, kw_only=True)
class UpOptions:
    """`port` 0 takes a free one; `console_port` None the next one, if it is free. `data` None means the default place, see `data_root`."""

    host: str = "127.0.0.1"
    port: int = 8000
    console_port: int | None = None
    data: Path | None = None
    gateways: int = 1
    ready_file: Path | None = None
    is_reset: bool = False
    is_confirmed: bool = False
    with_demo: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=_port, default=8000, help="port to serve on, 0 takes a free one (%(default)s)"
    )
    parser.add_argument(
        "--console-port", type=_port, metavar="PORT", help="port of the console (the one after --port)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (%(default)s)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help=f"data directory (TOKENOK_DATA, else {_DATA_NAME})"
    )
    parser.add_argument(
        "--gateways", type=_count, default=1, metavar="N", help="gateway processes (%(default)s)"
    )
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="written once everything serves: JSON, 0600"
    )
    parser.add_argument("--reset", action="store_true", help="delete the data and begin anew; asks first")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--no-demo", action="store_true", help="no sandbox provider, demo account and demo key"
    )


def from_namespace(values: argparse.Namespace) -> UpOptions:
    return UpOptions(
        host=values.host,
        port=values.port,
        console_port=values.console_port,
        data=values.data,
        gateways=values.gateways,
        ready_file=values.ready_file,
        is_reset=values.reset,
        is_confirmed=values.yes,
        with_demo=not values.no_demo,
    )


def data_root(given: Path | None, *, configured: str, environ: Mapping[str, str]) -> Path:
    """The option, else the setting `TOKENOK_DATA`, else `.tokenok` beside `run`, else the user's own data directory."""
    if given is not None:
        return given.expanduser().absolute()
    if configured:
        return Path(configured).expanduser().absolute()
    beside = _CHECKOUT / _DATA_NAME
    if (_CHECKOUT / "run").is_file() and os.access(beside if beside.exists() else _CHECKOUT, os.W_OK):
        return beside
    base = environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", "/"), ".local", "share")
    return Path(base, "tokenok").absolute()


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:  # noqa: PLR2004 (the range of ports)
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 64:  # noqa: PLR2004 (each takes database connections, of which there are 100)
        raise argparse.ArgumentTypeError("from 1 to 64 processes")
    return value
