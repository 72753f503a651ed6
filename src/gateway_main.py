"""Entry point of one gateway process: `python -m gateway_main --fd N` or `--host H --port P`."""

import sys
from typing import Any

from asgi import make_app
from gateway_process import GatewayProcess
from serving import serve
from settings import Settings

_DRAIN_S = 30
_STUCK_MS = 120_000


def main() -> int:
    return serve(
        "One gateway process.",
        8000,
        lambda settings: make_app(GatewayProcess(settings)),
        options_of=_options,
        stuck_ms=_STUCK_MS,
    )


def _options(_settings: Settings) -> dict[str, Any]:
    return {
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": _DRAIN_S,
        "backlog": 2048,
    }


if __name__ == "__main__":
    sys.exit(main())
