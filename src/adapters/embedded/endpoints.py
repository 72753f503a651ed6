"""The addresses of the running embedded servers, for other commands: a file in the data root that only its owner reads."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from adapters.embedded.private_file import write_private

_NAME = "endpoints.json"


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Empty strings stand for servers that are not embedded. The database address holds its password."""

    database_url: str = field(default="", repr=False)
    redis_url: str = ""


def write_endpoints(data_root: Path, endpoints: Endpoints) -> None:
    write_private(data_root / _NAME, json.dumps(asdict(endpoints)) + "\n")


def read_endpoints(data_root: Path) -> Endpoints | None:
    """The addresses last written; None when the servers were stopped. After a kill -9 nothing may answer there."""
    try:
        values = json.loads((data_root / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Endpoints(database_url=str(values["database_url"]), redis_url=str(values["redis_url"]))


def forget_endpoints(data_root: Path) -> None:
    (data_root / _NAME).unlink(missing_ok=True)
