"""The official SDK's own tests, unchanged but for their API key, against a running gateway.

They build requests with every parameter at once and parse what comes back strictly, synchronous and not, with both of
the SDK's HTTP clients. What is left out, and why:

* Stored completions (retrieve, update, list, delete of `chat.completions`) belong to one account at one provider; the
  gateway keeps no completions.
* `models.delete` deletes fine-tuned models of an account at a provider.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from demo_seed import PRICE, PROVIDER
from domain.ledger.events import RequestAdmitted, UsageCharged
from tests.api.v1.gateway_world import World
from tests.conformance.openai_suite import Suite, SuiteUnavailable, obtain
from tests.conformance.setting_up import add_model, lease_facts, publish
from tests.waiting import until

pytestmark = pytest.mark.timeout(900)  # the first run fetches the suite

ALIAS = "gpt-6-astra"  #: the model that the suite asks for
CHAT = "tests/api_resources/chat/test_completions.py"
MODELS = "tests/api_resources/test_models.py"
OUTSIDE = {
    (CHAT, "Completions"): ("retrieve", "update", "list", "delete"),
    (MODELS, "Models"): ("delete",),
}
FORMS = ("method", "raw_response", "streaming_response", "path_params")
CREATES = 40
"""2 overloads of `create`; plain, all parameters, raw and streaming of each; 2 synchronous and 3 other clients."""
LOOKUPS = 35
"""7 tests of models list and retrieve, with the same 5 clients."""


@pytest.fixture(scope="module")
def suite() -> Suite:
    """Fails, and is not skipped, where the tests cannot be had: a promise would go unchecked."""
    try:
        return obtain()
    except SuiteUnavailable as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


def outside() -> list[str]:
    """`--deselect` arguments; each stands for every test whose name begins like this."""
    return [
        f"--deselect={path}::{kind}{subject}::test_{form}_{operation}"
        for (path, subject), operations in OUTSIDE.items()
        for kind in ("Test", "TestAsync")
        for form in FORMS
        for operation in operations
    ]


def run(suite: Suite, *, base_url: str, api_key: str, report: Path) -> str:
    """Run the tests; returns what they printed."""
    command = [str(suite.python), "-m", "pytest", "-p", "openai_suite_plugin", "-o", "addopts=", "-q", "-ra"]
    command += ["-p", "no:cacheprovider", f"--junitxml={report}", *outside(), CHAT, MODELS]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {
        "TEST_API_BASE_URL": f"{base_url}/v1",
        "SUITE_API_KEY": api_key,
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        command, cwd=suite.source, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    return done.stdout + done.stderr


def outcomes(report: Path) -> Counter[tuple[str, str]]:
    """How many tests of each file (`chat`, `models`) passed, failed or were skipped."""
    counted: Counter[tuple[str, str]] = Counter()
    for case in ET.parse(report).getroot().iter("testcase"):
        file = "chat" if "chat.test_completions" in case.attrib["classname"] else "models"
        ends = {child.tag for child in case} & {"failure", "error", "skipped"}
        counted[file, ends.pop() if ends else "passed"] += 1
    return counted


def test_the_sdks_own_tests_pass_and_each_of_their_requests_is_charged_once(
    suite: Suite, conformance_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All `create` tests of chat and all list and retrieve tests of models; the SDK never had to try again."""
    world = conformance_world
    key = world.new_key("openai suite", amount_nano=10**12)
    add_model(world, ALIAS, provider=PROVIDER, upstream_model="sandbox-echo")
    publish(world, {ALIAS: PRICE}, key=key)
    report = tmp_path / "report.xml"
    printed = run(suite, base_url=world.url, api_key=key, report=report)
    assert report.exists(), printed[-6_000:]
    counted = outcomes(report)
    assert counted == {("chat", "passed"): CREATES, ("models", "passed"): LOOKUPS}, printed[-6_000:]
    until(lambda: len(charges(world)) >= CREATES)
    assert len(admissions(world)) == len(set(charges(world))) == len(charges(world)) == CREATES
    with capsys.disabled():
        sys.stdout.write(
            f"\nopenai {suite.version}, its own tests: {counted.total()} of {CREATES + LOOKUPS} passed\n"
        )


def admissions(world: World) -> list[object]:
    return [
        fact.request_id
        for fact in lease_facts(world)
        if isinstance(fact, RequestAdmitted) and fact.alias == ALIAS
    ]


def charges(world: World) -> list[object]:
    return [
        fact.request_id
        for fact in lease_facts(world)
        if isinstance(fact, UsageCharged) and fact.alias == ALIAS
    ]
