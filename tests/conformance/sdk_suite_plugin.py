"""A pytest plugin for the SDKs' own tests: the gateway's API key in place of their made-up one, and bodies it can serve.

It is loaded in a subprocess with `-p`, in the SDK's environment, and knows nothing of ours. `SUITE_BODIES` says by path
what every request gets if it lacks it (`with`) and what it loses (`without`).
"""

import json
import os
import sys
from types import ModuleType
from typing import Any

BODIES: dict[str, dict[str, Any]] = json.loads(os.environ["SUITE_BODIES"])


def pytest_collection_finish() -> None:
    """Their conftest has been imported by now, and its clients have not been made yet."""
    sys.modules["tests.conftest"].__dict__["api_key"] = os.environ["SUITE_API_KEY"]
    for sdk in ("openai", "anthropic"):
        base = sys.modules.get(f"{sdk}._base_client")
        if base is not None:
            _prepare(base)


def _prepare(base: ModuleType) -> None:
    """Through the hook that the SDKs have for it."""

    def prepared(_client: object, options: Any) -> Any:
        change = BODIES.get(options.url)
        if change is not None and isinstance(options.json_data, dict):
            kept = {name: value for name, value in options.json_data.items() if name not in change["without"]}
            options.json_data = change["with"] | kept
        return options

    async def prepared_later(client: object, options: Any) -> Any:
        return prepared(client, options)

    base.SyncAPIClient._prepare_options = prepared
    base.AsyncAPIClient._prepare_options = prepared_later
