"""A small application under test: runs the embedded servers, tells where they are, and stops when told.

Standard library only, so that any Python can run it as any user. Prints one JSON line once the servers serve.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

from adapters.embedded import EmbeddedError, EmbeddedServers


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_root", type=Path)
    parser.add_argument("--root-home", type=Path, required=True)
    parser.add_argument("--pg-bin", default="")
    parser.add_argument("--only", default="postgres,valkey")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with EmbeddedServers(
            options.data_root, pg_bin=options.pg_bin, root_home=options.root_home
        ) as servers:
            urls = {
                "database_url": servers.start_postgres() if "postgres" in options.only else "",
                "redis_url": servers.start_valkey() if "valkey" in options.only else "",
            }
            ready = {**urls, "pids": servers.pids(), "notices": servers.notices}
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
            sys.stdin.read()
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
