"""Entry point of the console's process: `python -m console_main --fd N` or `--host H --port P`."""

import sys
from typing import Any

from console_app import make_console
from console_process import ConsoleProcess
from serving import serve
from settings import Settings

_DRAIN_S = 10


def main() -> int:
    return serve(
        "The console.", 8001, lambda settings: make_console(ConsoleProcess(settings)), options_of=_options
    )


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "forwarded_allow_ips": settings.console_proxies,
        "timeout_graceful_shutdown": _DRAIN_S,
    }


if __name__ == "__main__":
    sys.exit(main())
