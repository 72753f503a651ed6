"""A pytest plugin for the openai SDK's own tests: they use the gateway's API key in place of their made-up one.

It is loaded in a subprocess with `-p`, in the SDK's environment, and knows nothing of ours.
"""

import os
import sys


def pytest_collection_finish() -> None:
    """Their conftest has been imported by now, and its clients have not been made yet."""
    sys.modules["tests.conftest"].__dict__["api_key"] = os.environ["SUITE_API_KEY"]
