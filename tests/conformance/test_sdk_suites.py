"""The official SDKs' own tests, against a running gateway.

They build requests with every parameter at once and parse what comes back strictly, synchronous and not, with both of
the SDKs' HTTP clients. Chat completions, responses and messages are all answered by the sandbox, which speaks chat: two of
the three are translated. The tests are unchanged but for their API key and for what `BODIES` says of some endpoints:

* openai, `responses`: most of its tests create a response of nothing at all, and get a model and an input; those with all
  parameters lose what names state at a provider, and what has a price of its own.
* openai, `embeddings`: the SDK asks for base64 by itself, and its strict clients refuse what they asked for; the member goes.
* openai, `images` with all parameters: they lose `svg`, which asks a second model, and `frame_count`, by which one picture
  is several. The gateway refuses both, since no price covers them.
* anthropic, `messages` with all parameters: they lose `container`, `diagnostics` and `inference_geo` for the same reasons.

What is left out, and why:

* openai, stored completions (retrieve, update, list, delete of `chat.completions`) and stored responses (retrieve, delete,
  cancel): they belong to one account at one provider; the gateway keeps none.
* openai, `responses.compact`: an endpoint of one provider, whose result only that provider can read.
* openai, `models.delete` deletes fine-tuned models of an account at a provider.
* openai, `images.create_variation`: an endpoint of one model that its provider has taken away.
* openai, the file of `audio.speech`: its tests answer themselves and ask no server. `tests/clients` asks for speech.
* openai, `audio.voices` and `audio.voice_consents`: they keep people's voices in the operator's account at a provider.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS

from demo_seed import PRICE, PROVIDER
from domain.catalogue.deployment_spec import Operation
from domain.ledger.events import RequestAdmitted, UsageCharged
from tests.api.v1.gateway_world import World
from tests.conformance.completions_upstream import completions_upstream
from tests.conformance.sdk_suite import Sdk, Suite, SuiteUnavailable, obtain
from tests.conformance.setting_up import add_model, add_provider, lease_facts, publish
from tests.told import Tell
from tests.waiting import until

pytestmark = pytest.mark.timeout(900)  # the first run fetches the suites

RESOURCES = "tests/api_resources"
FORMS = ("method", "raw_response", "streaming_response", "path_params")
STORED = ("retrieve", "update", "list", "delete")


PICTURES: dict[str, Any] = {"with": {}, "without": ["svg", "frame_count", "frame_duration_ms"]}
BODIES: dict[Sdk, dict[str, Any]] = {
    "openai": {
        "/embeddings": {"with": {}, "without": ["encoding_format"]},
        "/images/generations": PICTURES,
        "/images/edits": PICTURES,
        "/responses": {
            "with": {"model": "gpt-6-astra", "input": "string"},
            "without": [
                *("previous_response_id", "conversation", "prompt", "background", "background_options"),
                *("prompt_cache_options", "context_management", "moderation"),
            ],
        },
    },
    "anthropic": {"/v1/messages": {"with": {}, "without": ["container", "diagnostics", "inference_geo"]}},
}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an SDK's tests. `outside` are the operations that are left out, `passing` how many tests are not."""

    file: str
    subject: str
    passing: int
    outside: tuple[str, ...] = ()

    def deselected(self) -> list[str]:
        """Arguments; each stands for every test whose name begins like this."""
        return [
            f"--deselect={RESOURCES}/{self.file}.py::{kind}{self.subject}::test_{form}_{operation}"
            for kind in ("Test", "TestAsync")
            for form in FORMS
            for operation in self.outside
        ]


# Plain, all parameters, raw and streaming of each overload of a `create`; 2 synchronous and 3 other clients.
OPENAI = (
    Part(file="chat/test_completions", subject="Completions", outside=STORED, passing=40),
    Part(file="test_completions", subject="Completions", passing=40),
    Part(
        file="test_responses",
        subject="Responses",
        outside=("retrieve", "delete", "cancel", "compact"),
        passing=40,
    ),
    Part(file="test_models", subject="Models", outside=("delete",), passing=35),
    Part(file="test_embeddings", subject="Embeddings", passing=20),
    Part(file="test_images", subject="Images", outside=("create_variation",), passing=80),
    Part(file="audio/test_transcriptions", subject="Transcriptions", passing=40),
    Part(file="audio/test_translations", subject="Translations", passing=20),
    Part(file="test_moderations", subject="Moderations", passing=20),
)
ANTHROPIC = (
    # One more: all models that the SDK warns of.
    Part(file="test_messages", subject="Messages", passing=65),
    Part(file="test_models", subject="Models", passing=45),
)
PICTURE: tuple[Operation, ...] = ("images", "image-edits")
IN_UNITS: dict[str, tuple[Operation, ...]] = {
    "text-embedding-3-small": ("embeddings",),
    **dict.fromkeys(("gpt-image-1", "gpt-image-1.5", "gpt-image-2.5-flare"), PICTURE),
    "gpt-4o-transcribe": ("transcriptions",),
    "whisper-1": ("translations",),
    **dict.fromkeys(("omni-moderation-latest", "omni-moderation-2024-09-26"), ("moderations",)),
}
"""What the tests ask for by name, and by no name at all: `gpt-image-1` and `omni-moderation-latest` stand in then."""
PRICE_IN_UNITS = msgspec.structs.replace(PRICE, image="0.04", audio_second="0.0001")
REQUESTS = {
    "gpt-6-astra": 80,
    "gpt-3.5-turbo-instruct": 40,
    "text-embedding-3-small": 20,
    "gpt-image-1": 60,
    "gpt-image-1.5": 10,
    "gpt-image-2.5-flare": 10,
    "gpt-4o-transcribe": 40,
    "whisper-1": 20,
    "omni-moderation-latest": 15,
    "omni-moderation-2024-09-26": 5,
}


def suite_of(sdk: Sdk) -> Suite:
    """Fails, and is not skipped, where the tests cannot be had: a promise would go unchecked."""
    try:
        return obtain(sdk)
    except SuiteUnavailable as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


def run(
    suite: Suite, parts: tuple[Part, ...], *, base_url: str, api_key: str, bodies: object, report: Path
) -> str:
    """Run the tests; returns what they printed."""
    command = [str(suite.python), "-m", "pytest", "-p", "sdk_suite_plugin", "-o", "addopts=", "-q", "-ra"]
    command += ["-p", "no:cacheprovider", f"--junitxml={report}"]
    for part in parts:
        command += [*part.deselected(), f"{RESOURCES}/{part.file}.py"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {
        "TEST_API_BASE_URL": base_url,
        "SUITE_API_KEY": api_key,
        "SUITE_BODIES": json.dumps(bodies),
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        command, cwd=suite.source, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    return done.stdout + done.stderr


def outcomes(report: Path) -> Counter[tuple[str, str]]:
    """How many tests of each file passed, failed or were skipped."""
    counted: Counter[tuple[str, str]] = Counter()
    prefix = RESOURCES.replace("/", ".") + "."
    for case in ET.parse(report).getroot().iter("testcase"):
        file = case.attrib["classname"].removeprefix(prefix).rpartition(".")[0].replace(".", "/")
        ends = {child.tag for child in case} & {"failure", "error", "skipped"}
        counted[file, ends.pop() if ends else "passed"] += 1
    return counted


def must_pass(sdk: Sdk, parts: tuple[Part, ...], *, world: World, key: str, report: Path) -> str:
    """Run them; returns a line that says how many there were."""
    suite = suite_of(sdk)
    base_url = f"{world.url}/v1" if sdk == "openai" else world.url
    printed = run(suite, parts, base_url=base_url, api_key=key, bodies=BODIES[sdk], report=report)
    assert report.exists(), printed[-6_000:]
    assert outcomes(report) == {(part.file, "passed"): part.passing for part in parts}, printed[-6_000:]
    counts = ", ".join(f"{part.file.removeprefix('test_')} {part.passing}" for part in parts)
    return f"\n{sdk} {suite.version}, its own tests: {counts}, all passed\n"


def must_be_charged_once(world: World, aliases: dict[str, int]) -> None:
    """So many requests for each; none was repeated, and none is open."""
    until(lambda: ended(world, aliases) >= sum(aliases.values()))
    facts = [fact for fact in lease_facts(world) if getattr(fact, "alias", None) in aliases]
    admitted = Counter(fact.alias for fact in facts if isinstance(fact, RequestAdmitted))
    charged = [fact for fact in facts if isinstance(fact, UsageCharged)]
    assert admitted == Counter(fact.alias for fact in charged) == aliases
    assert len({fact.request_id for fact in charged}) == len(charged)


def ended(world: World, aliases: dict[str, int]) -> int:
    return sum(isinstance(fact, UsageCharged) and fact.alias in aliases for fact in lease_facts(world))


@pytest.fixture(scope="module")
def completions_url() -> Iterator[str]:
    with completions_upstream() as base_url:
        yield base_url


def test_the_openai_sdks_own_tests_pass_and_each_of_their_requests_is_charged_once(
    conformance_world: World, completions_url: str, tmp_path: Path, tell: Tell
) -> None:
    """All `create` tests of what is offered, all list and retrieve tests of models."""
    world = conformance_world
    key = world.new_key("openai suite", amount_nano=10**12)
    offered = {"gpt-6-astra": ("chat",), **IN_UNITS}
    for alias, serves in offered.items():
        model = "sandbox-embed" if "embeddings" in serves else "sandbox-echo"
        add_model(world, alias, provider=PROVIDER, upstream_model=model, serves=serves)
    add_provider(world, "completions", base_url=completions_url)
    add_model(
        world,
        "gpt-3.5-turbo-instruct",
        provider="completions",
        upstream_model="davinci",
        serves=("completions",),
    )
    publish(world, dict.fromkeys((*offered, "gpt-3.5-turbo-instruct"), PRICE_IN_UNITS), key=key)
    line = must_pass("openai", OPENAI, world=world, key=key, report=tmp_path / "report.xml")
    must_be_charged_once(world, REQUESTS)
    tell(line)


def test_the_anthropic_sdks_own_tests_pass_and_each_of_their_requests_is_charged_once(
    conformance_world: World, tmp_path: Path, tell: Tell
) -> None:
    """All tests of messages, of counting their tokens, and of models."""
    world = conformance_world
    key = world.new_key("anthropic suite", amount_nano=10**12)
    aliases = ("claude-opus-5-5", "model_id", *DEPRECATED_MODELS)
    for alias in aliases:
        add_model(world, alias, provider=PROVIDER, upstream_model="sandbox-echo")
    publish(world, dict.fromkeys(aliases, PRICE), key=key)
    line = must_pass("anthropic", ANTHROPIC, world=world, key=key, report=tmp_path / "report.xml")
    must_be_charged_once(world, {"claude-opus-5-5": 40, **dict.fromkeys(DEPRECATED_MODELS, 5)})
    tell(line)
