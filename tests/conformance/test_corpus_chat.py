"""Every recorded chat exchange of the OpenAI dialect, through a running gateway: nothing is lost, and all is metered.

A provider of ours answers each recorded body byte for byte, in pieces cut at random, single bytes and cuts within
characters among them. Each stream goes twice: with usage asked for by the client, and not.

The client gets the same bytes, but for these rewrites, whose results are compared as JSON values:

* In a stream without `include_usage`, an event that is nothing but usage goes away, and `usage` from every other one.
* What the provider charged us goes out of `usage` (`cost`, `cost_details`, `cost_in_usd_ticks`, `is_byok`).
* What strict clients refuse to parse is mended: `finish_reason` `eos` and `""`, `object` `""` in a stream's first event,
  `service_tier` `on_demand`, tool calls without `type` or, in a stream, `index`.
* A `[DONE]` that is missing is added, and before it, where a client asked for usage and the provider gave none where
  clients look for it, an event with what was charged for.

The provider gets the same request, but for its own model's name, one bound of the answer, and usage asked for in a stream.
What chose among OpenRouter's providers (`models`, `provider`) is left out of what is sent: it would choose among ours.

Recorded bodies are kept parsed, so key order and blanks are those of the replaying provider, not of the recorded one;
content types are the right ones (three streams were recorded under a header that was pasted from elsewhere).
Of 1,599 recorded chat exchanges 8 are left out: authored requests without an answer.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError

from adapters.eventstore.store import PostgresEventStore
from application.verify.verify import verify
from domain.topics import REGISTRY
from tests.api.v1.gateway_world import World
from tests.conformance.checks import fault_of_answer, fault_of_charge, fault_of_refusal, fault_of_request
from tests.conformance.corpus import CORPUS, NO_ANSWER, ROOT, chat_cases, document_of
from tests.conformance.replay import Outcome, Replay, replay
from tests.told import Tell

SHOWN_MAX = 20
MEMBERS = {"content", "delta", "finish_reason", "annotations", "tool_calls", "object", "service_tier"}
ODDITIES = {
    ("azure", "delta"): "an event of its content filter has none",
    ("mistral", "delta.content"): "parts, where it thinks aloud",
    ("mistral", "content"): "parts, where it thinks aloud",
    ("moonshot", "object"): "none in a fixture of its chunks",
    ("openrouter", "annotations"): "of a file, which the dialect does not know",
    ("openrouter", "finish_reason"): "none in one answer",
    ("openrouter", "service_tier"): "one of its own",
    ("openrouter", "tool_calls"): "no arguments for a tool that needs none",
}
"""What strict clients would refuse and passes as it came."""


@pytest.fixture(scope="module")
def replayed(conformance_world: World, request: pytest.FixtureRequest) -> Replay:
    if not (ROOT / CORPUS).exists():
        pytest.skip(f"corpus not present: {CORPUS}")
    cases, left_out = chat_cases()
    assert (len(cases), left_out) == (1591, {NO_ANSWER: 8})
    seed = getattr(request.config.option, "randomly_seed", 0)
    return replay(conformance_world, cases, seed=seed)


@pytest.fixture(scope="module")
def served(replayed: Replay) -> list[Outcome]:
    return [one for one in replayed.outcomes if not one.case.failed]


@pytest.fixture(scope="module")
def refused(replayed: Replay) -> list[Outcome]:
    return [one for one in replayed.outcomes if one.case.failed]


def must_hold(outcomes: Iterable[Outcome], check: Callable[[Outcome], str | None], replayed: Replay) -> None:
    """Fails with what is wrong, by exchange, and the seed, which makes the same cuts again (`--randomly-seed`)."""
    found = [f"{one.name}: {fault}" for one in outcomes if (fault := check(one)) is not None]
    if found:
        shown = "\n".join(sorted(found)[:SHOWN_MAX])
        pytest.fail(f"{len(found)} exchanges, seed {replayed.seed}:\n{shown}", pytrace=False)


def test_every_answer_reaches_its_client_unchanged_but_for_the_allowed_rewrites(
    replayed: Replay, served: list[Outcome], tell: Tell
) -> None:
    """Bytes where nothing is rewritten, values where something is."""
    tell(summary(replayed))
    must_hold(served, fault_of_answer, replayed)


def test_every_answer_is_charged_by_its_usage_to_the_nano_credit(
    replayed: Replay, served: list[Outcome]
) -> None:
    """By each provider's own arithmetic; what came without usage is counted here and marked; no hold was too small."""
    must_hold(served, fault_of_charge, replayed)
    sources = Counter(bool(one.case.usage) for one in served)
    assert sources[True] > 1_500
    assert sources[False] > 100


def test_every_request_reaches_the_provider_once_and_unchanged_but_for_three_members(
    replayed: Replay,
) -> None:
    """Whatever members it has, known to the gateway or not."""
    must_hold(replayed.outcomes, fault_of_request, replayed)


def test_every_refusal_of_a_provider_becomes_an_envelope_and_costs_nothing(
    replayed: Replay, refused: list[Outcome]
) -> None:
    """26 with an error's status, and one that a provider sent with 200."""
    assert Counter(one.case.status for one in refused) == {400: 13, 404: 9, 401: 4, 200: 1}
    must_hold(refused, fault_of_refusal, replayed)


def test_the_charge_that_a_client_is_told_is_the_one_in_the_ledger(served: list[Outcome]) -> None:
    """The header of a whole answer; a stream begins before its charge is known."""
    for one in served:
        told = one.headers.get("x-tokenok-charge")
        assert (told is None) == one.case.stream, one.name
        assert told is None or round(float(told) * 10**9) == one.charged.charge_nano, one.name


def test_xai_bills_the_same_units(served: list[Outcome]) -> None:
    """An outside truth: the provider's own bill, in ticks of 1e-10 dollars, at its list prices for grok-3-mini."""
    billed = 0
    for one in served:
        ticks = (one.case.usage or {}).get("cost_in_usd_ticks")
        if one.case.provider == "xai" and ticks is not None:
            units = one.charged.units
            assert units.input * 3_000 + units.cached_input * 750 + units.output * 5_000 == ticks, one.name
            billed += 1
    assert billed == 9


def test_the_official_types_take_every_answer_but_for_known_oddities(served: list[Outcome]) -> None:
    """Strictly parsed. What providers write against the dialect was mended on the way, these apart."""
    assert {oddity for one in served for oddity in oddities(one)} == set(ODDITIES)


def oddities(outcome: Outcome) -> set[tuple[str, str]]:
    """Provider and member, for all that the official types refuse."""
    found: set[tuple[str, str]] = set()
    stream, content = outcome.case.stream, outcome.content
    documents = map(document_of, content.split(outcome.case.newline * 2)) if stream else [json.loads(content)]
    for document in documents:
        try:
            if document is not None:
                (ChatCompletionChunk if stream else ChatCompletion).model_validate(document, strict=True)
        except ValidationError as error:
            places = ([part for part in one["loc"] if part in MEMBERS] for one in error.errors())
            found |= {(outcome.case.provider, ".".join(map(str, place))) for place in places}
    return found


def test_the_answers_came_in_hard_cuts(replayed: Replay) -> None:
    """Otherwise the others would prove little."""
    assert replayed.cuts.pieces > 20_000
    assert replayed.cuts.single_bytes > 2_000
    assert replayed.cuts.within_characters > 100


def test_the_ledger_is_in_order_after_all_of_it(conformance_world: World, replayed: Replay) -> None:
    """Refolded from the log: every posting has two sides, every request one end."""
    store = PostgresEventStore(conformance_world.settings.database_url)
    try:
        report = verify(store, REGISTRY)
    finally:
        store.close()
    assert report.ok, report
    assert len(replayed.outcomes) == 1_799


def summary(replayed: Replay) -> str:
    """Passed of all, by provider: answers, streams (each twice) and refusals."""
    columns = {"json": Counter[str](), "stream": Counter[str](), "refused": Counter[str]()}
    passed = {name: Counter[str]() for name in columns}
    for one in replayed.outcomes:
        column = "refused" if one.case.failed else "stream" if one.case.stream else "json"
        checks = [fault_of_refusal] if one.case.failed else [fault_of_answer, fault_of_charge]
        columns[column][one.case.provider] += 1
        passed[column][one.case.provider] += all(check(one) is None for check in [*checks, fault_of_request])
    lines = [f"\nrecorded chat exchanges, seed {replayed.seed}; left out: 8, {NO_ANSWER}"]
    lines.append(f"{'provider':<12}" + "".join(f"{name:>13}" for name in columns))
    for provider in sorted({one.case.provider for one in replayed.outcomes}):
        cells = (f"{passed[name][provider]}/{columns[name][provider]}" for name in columns)
        lines.append(f"{provider:<12}" + "".join(f"{cell:>13}" for cell in cells))
    totals = (f"{passed[name].total()}/{columns[name].total()}" for name in columns)
    lines.append(f"{'all':<12}" + "".join(f"{cell:>13}" for cell in totals))
    cut = sum("clamped" in one.charged.usage_flags for one in replayed.outcomes if not one.case.failed)
    lines.append(f"{cut} prompts of a model that searches by itself were cut to their bound")
    cuts = replayed.cuts
    lines.append(
        f"{cuts.pieces} pieces, {cuts.single_bytes} of one byte, {cuts.within_characters} cuts in characters"
    )
    return "\n".join(lines) + "\n"
