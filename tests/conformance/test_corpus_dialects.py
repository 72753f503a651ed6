"""Every recorded answer of every dialect, through a running gateway, to clients of that dialect and of the others.

As `test_corpus_chat`, which has chat completions for clients that speak them: a provider of ours answers each recorded
body in pieces cut at random. A client of the provider's own dialect sends the recorded request and gets the same bytes,
but for these rewrites:

* Messages: comments after the last event are left out.
* Responses: usage without the provider's cost, and with the zeros that SDKs require; a `[DONE]`, which the dialect does
  not have, is left out. The provider is always asked not to store.
* Completions: Together's `object`, which strict clients refuse, is the dialect's.

A client of another dialect asks for a text of the recorded prompt's length, and gets what its official SDK accepts in
strict validation and what says the same: text, thoughts, calls, why it ended, usage. The charge is always that of the
provider's own figures, with a price for each kind of token.

What no recording shows is authored: prompts that are kept for an hour.
Fixtures that hold several streams in a row are as many exchanges. What is left out is printed with its reason.
"""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from domain.ledger.events import UsageCharged
from tests.api.v1.gateway_world import World
from tests.conformance.authored import long_writes
from tests.conformance.corpus import CORPUS, ROOT, chat_cases
from tests.conformance.crossing import Crossed, Crossings, cross
from tests.conformance.crossing_checks import fault_of_bytes, fault_of_meaning, fault_of_types
from tests.conformance.crossing_ledger import fault_of_charge, fault_of_refusal, fault_of_request
from tests.conformance.recordings import NO_ANSWER, Excluded, Kind, Recording, of_chat, recordings
from tests.conformance.said import first_choice
from tests.told import Tell

pytestmark = pytest.mark.timeout(900)  # the first test sends them all

CLIENTS: dict[Kind, tuple[Kind, ...]] = {
    "chat": ("messages", "responses"),
    "messages": ("messages", "chat", "responses"),
    "responses": ("responses", "chat", "messages"),
    "completions": ("completions",),
    "gemini": ("chat", "messages", "responses"),
}
"""Who asks, by what the provider speaks."""
COLUMNS: tuple[Kind, ...] = ("chat", "messages", "responses", "completions")
SHOWN_MAX = 20
SAYS_LESS = "a fixture whose last event leaves out what its stream said, so that nothing can be compared"
NOT_IN_CHUNKS = "a call with free text, of which the SDK's chunks know nothing"
NOT_TO_ASK_FOR = "a call of a kind that {} clients have no way to ask for"

Check = Callable[[Crossed], str | None]


class Replayed:
    """Everything that was sent, with what was left out."""

    def __init__(self, crossings: Crossings, excluded: Excluded) -> None:
        self.all = crossings
        self.excluded = excluded
        self.refused = [one for one in crossings.outcomes if one.recording.failed]
        served = [one for one in crossings.outcomes if not one.recording.failed]
        self.served = served
        self.native = [one for one in served if one.crossing.native]
        self.translated = [one for one in served if not one.crossing.native]


@pytest.fixture(scope="module")
def replayed(conformance_world: World, request: pytest.FixtureRequest) -> Replayed:
    if not (ROOT / CORPUS).exists():
        pytest.skip(f"corpus not present: {CORPUS}")
    found, excluded = recordings("messages", "responses", "completions", "gemini")
    chats, left_out = chat_cases()
    excluded[("openai", "chat.completions", "json"), NO_ANSWER] += left_out[NO_ANSWER]
    pairs = []
    for one in [*found, *long_writes(), *map(of_chat, chats)]:
        for client in CLIENTS[one.kind]:
            reason = out_of_reach(one, client)
            if reason is not None:
                excluded[one.group, reason] += 1
            else:
                pairs.append((one, client))
    seed = getattr(request.config.option, "randomly_seed", 0)
    return Replayed(cross(conformance_world, pairs, seed=seed), excluded)


def out_of_reach(recording: Recording, client: Kind) -> str | None:
    """The deprecated `functions` have no equal in responses; tools with free text have none in messages.

    Returns why the recording is left out for such clients, if it is.
    """
    if recording.failed or client == recording.kind:
        return None
    if recording.kind == "responses":
        return _out_of_reach_of_chat(recording, client)
    if recording.kind != "chat" or recording.stream:
        return None
    message = first_choice(recording.documents[0]).get("message") or {}
    if client == "responses":
        is_out = bool(message.get("function_call"))
    else:
        is_out = any(call.get("custom") for call in message.get("tool_calls") or [])
    return NOT_TO_ASK_FOR.format(client) if is_out else None


def _out_of_reach_of_chat(recording: Recording, client: Kind) -> str | None:
    last = recording.documents[-1]
    if recording.stream and not last["response"].get("output"):
        return SAYS_LESS
    if "custom_tool_call" not in {item.get("type") for item in last.get("response", last)["output"]}:
        return None
    if client == "messages":
        return NOT_TO_ASK_FOR.format(client)
    return NOT_IN_CHUNKS if recording.stream else None


def must_hold(outcomes: Iterable[Crossed], check: Check, replayed: Replayed) -> None:
    """Fails with what is wrong, by exchange, and the seed, which makes the same cuts again (`--randomly-seed`)."""
    found = [f"{one.name}: {fault}" for one in outcomes if (fault := check(one)) is not None]
    if found:
        shown = "\n".join(sorted(found)[:SHOWN_MAX])
        pytest.fail(f"{len(found)} exchanges, seed {replayed.all.seed}:\n{shown}", pytrace=False)


def test_clients_of_a_providers_own_dialect_get_its_bytes(replayed: Replayed, tell: Tell) -> None:
    """But for the rewrites that are listed above."""
    tell(summary(replayed))
    assert {one.answer.status_code for one in replayed.native} == {200}
    must_hold(replayed.native, fault_of_bytes, replayed)
    assert len(replayed.native) > 900


def test_the_official_sdks_take_every_translated_answer(replayed: Replayed) -> None:
    """Each document, strictly validated; every event under its own name, every stream with its proper end."""
    assert {one.answer.status_code for one in replayed.translated} == {200}
    must_hold(replayed.translated, fault_of_types, replayed)
    assert len(replayed.translated) > 6_000


def test_every_translated_answer_says_what_its_provider_said(replayed: Replayed) -> None:
    """Text, thoughts, calls, the reason of its end, and the usage that was charged for."""
    must_hold(replayed.translated, fault_of_meaning, replayed)


def test_every_provider_is_asked_once_for_what_the_client_asked(replayed: Replayed) -> None:
    """In the provider's own dialect unchanged but for model, bound and storage; in another at the right place."""
    must_hold(replayed.served, fault_of_request, replayed)


def test_every_answer_is_charged_by_its_providers_figures_to_the_nano_credit(replayed: Replayed) -> None:
    """Whoever asked; cache reads, writes and long writes apart, all iterations of a compaction summed up."""
    must_hold(replayed.served, fault_of_charge, replayed)
    for name in ("cached_input", "cache_write", "cache_write_long", "reasoning"):
        ended = [one.ended for one in replayed.served]
        assert any(getattr(one.units, name) for one in ended if isinstance(one, UsageCharged)), name


def test_every_refusal_becomes_an_envelope_of_the_clients_dialect_and_costs_nothing(
    replayed: Replayed,
) -> None:
    """Those within a stream that has generated nothing, too."""
    must_hold(replayed.refused, fault_of_refusal, replayed)
    assert {one.crossing.client for one in replayed.refused} == set(COLUMNS)


def test_the_answers_came_in_hard_cuts(replayed: Replayed) -> None:
    """Otherwise the others would prove little."""
    cuts = replayed.all.cuts
    assert cuts.pieces > 100_000
    assert cuts.single_bytes > 10_000
    assert cuts.within_characters > 500


def checks_of(one: Crossed) -> tuple[Check, ...]:
    if one.recording.failed:
        return (fault_of_refusal,)
    if one.crossing.native:
        return fault_of_bytes, fault_of_request, fault_of_charge
    return fault_of_types, fault_of_meaning, fault_of_request, fault_of_charge


def summary(replayed: Replayed) -> str:
    """Passed of all: a line for each provider, endpoint and kind of answer, a column for what the client speaks."""
    total: Counter[tuple[tuple[str, str, str], str]] = Counter()
    passed: Counter[tuple[tuple[str, str, str], str]] = Counter()
    for one in replayed.all.outcomes:
        provider, endpoint, kind = one.recording.group
        place = (provider, endpoint, "refused" if one.recording.failed else kind), one.crossing.client
        total[place] += 1
        passed[place] += all(check(one) is None for check in checks_of(one))
    lines = [f"\nrecorded answers by provider, endpoint and client, seed {replayed.all.seed}"]
    lines.append(f"{'':<42}" + "".join(f"{column:>13}" for column in COLUMNS))
    for group in sorted({group for group, _ in total}):
        places = [(group, column) for column in COLUMNS]
        cells = (f"{passed[place]}/{total[place]}" if total[place] else "-" for place in places)
        lines.append(f"{' '.join(group):<42}" + "".join(f"{cell:>13}" for cell in cells))
    sums = [f"{_sum(passed, column)}/{_sum(total, column)}" for column in COLUMNS]
    lines.append(f"{'all':<42}" + "".join(f"{cell:>13}" for cell in sums))
    lines += [
        f"left out: {count} of {' '.join(group)}: {reason}"
        for (group, reason), count in sorted(replayed.excluded.items())
    ]
    tied = sum(one.tied for one in replayed.all.outcomes)
    lines.append(
        f"{tied} recorded requests were tied to one account and refused; their answers went to others"
    )
    cuts = replayed.all.cuts
    lines.append(
        f"{cuts.pieces} pieces, {cuts.single_bytes} of one byte, {cuts.within_characters} cuts in characters"
    )
    return "\n".join(lines) + "\n"


def _sum(counted: Counter[tuple[tuple[str, str, str], str]], column: str) -> int:
    return sum(count for (_, client), count in counted.items() if client == column)
