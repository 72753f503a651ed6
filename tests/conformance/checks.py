"""What must hold for one replayed exchange; each check says what is wrong, or nothing. Never with recorded text."""

import json
from typing import Any

from domain.ledger.events import RequestReleased, UsageCharged
from tests.conformance.corpus import document_of
from tests.conformance.oracle import adds_up, expected_nano, expected_units
from tests.conformance.replay import OUTPUT_TOKENS_MAX, UPSTREAM_MODEL, Outcome
from tests.conformance.rewrites import asks_for_cost, expected_answer, expected_events, expected_request

ENVELOPE = {"message", "type", "param", "code"}
STATUSES = {200: {400}, 400: {400}, 401: {502}, 404: {502}}
"""By the provider's status. Its 401 and 404 are about the gateway's credential and set-up there, not its client's."""

NOT_ADDING_UP = "openai/chat.completions/1afd540d456bd9"
"""An authored case, 7 + 0 = 8: what was said of prompt and answer counts, and the mismatch is flagged."""
SEARCHED_UNASKED = {"groq/chat.completions/3b0d08b5b9b660", "groq/chat.completions/696be580f63ca3"}
"""A model that searches by itself, which no byte of the request shows: a prompt far beyond the bound is cut to it."""


def fault_of_answer(outcome: Outcome) -> str | None:
    """The client got what the provider sent, but for the allowed rewrites."""
    if outcome.status != 200:
        return f"status {outcome.status}"
    if outcome.case.stream:
        return _fault_of_stream(outcome)
    answer = outcome.case.answer
    assert answer is not None
    expected = expected_answer(answer)
    if expected == answer and not asks_for_cost(outcome.exchange.request):
        return None if outcome.content == outcome.exchange.body else "other bytes"
    told = json.loads(outcome.content)
    if asks_for_cost(outcome.exchange.request):
        cost = told["usage"].pop("cost")
        if round(cost * 10**9) != outcome.charged.charge_nano:
            return "another cost than the charge"
    return None if told == expected else "another document"


def _fault_of_stream(outcome: Outcome) -> str | None:
    end = outcome.case.newline * 2
    *events, rest = outcome.content.split(end)
    expected = expected_events(outcome.case, wanted=outcome.exchange.wanted)
    if rest or not events or events[-1] != b"data: [DONE]":
        return "no proper end"
    if outcome.exchange.wanted and not any(shows_usage(event) for event in outcome.case.events):
        added = events.pop(-2)
        if not _is_usage_of(outcome, document_of(added)):
            return "no usage was added"
    if len(events) != len(expected):
        return f"{len(events)} events for {len(expected)}"
    for place, (event, (original, document)) in enumerate(zip(events, expected, strict=True)):
        if document is None and event + end != original:
            return f"event {place}: other bytes"
        if document is not None and not _is_rewritten(event + end, original, document):
            return f"event {place}: another document"
    return None


def _is_rewritten(event: bytes, original: bytes, document: dict[str, Any]) -> bool:
    """It holds what it should; one that only lost its usage is the original with one cut."""
    if document_of(event) != document:
        return False
    before = document_of(original) or {}
    if {name: value for name, value in before.items() if name != "usage"} != document:
        return True
    lost = len(original) - len(event)
    return any(original[:at] + original[at + lost :] == event for at in range(len(event)))


def shows_usage(event: bytes) -> bool:
    return bool((document_of(event) or {}).get("usage"))


def _is_usage_of(outcome: Outcome, document: dict[str, Any] | None) -> bool:
    """The event that the gateway adds: stamped as the stream's others, with the figures that were charged for."""
    chunks = [chunk for event in outcome.case.events if (chunk := document_of(event)) and chunk["choices"]]
    stamp = {name: chunks[-1].get(name) for name in ("id", "created", "model")}
    units = outcome.charged.units
    prompt = units.input + units.cached_input + units.cache_write
    if document is None or "usage" not in document:
        return False
    figures = {
        name: document["usage"].get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    }
    return (document | {"usage": figures}) == stamp | {
        "object": "chat.completion.chunk",
        "choices": [],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": units.output,
            "total_tokens": prompt + units.output,
        },
    }


def fault_of_request(outcome: Outcome) -> str | None:
    """The provider was asked once, for what the client asked, but for model, bound and usage."""
    expected = expected_request(
        outcome.exchange.request, model=UPSTREAM_MODEL, output_tokens_max=OUTPUT_TOKENS_MAX
    )
    if len(outcome.asked) != 1:
        return f"asked {len(outcome.asked)} times"
    if outcome.asked[0] == expected:
        return None
    changed = {
        name for name in outcome.asked[0] | expected if outcome.asked[0].get(name) != expected.get(name)
    }
    return f"changed: {sorted(changed)}"


def fault_of_charge(outcome: Outcome) -> str | None:
    """One charge, of exactly what was used, to the last nano-credit."""
    charged = outcome.ended
    if not isinstance(charged, UsageCharged):
        return "not charged"
    if charged.result != "completed" or charged.provider != f"recorded-{outcome.case.provider}":
        return f"{charged.result} by {charged.provider}"
    if charged.shortfall_nano or charged.charge_nano != expected_nano(charged.units):
        return f"{charged.charge_nano} charged, {charged.shortfall_nano} beyond the hold"
    return _fault_of_usage(outcome, charged)


def _fault_of_usage(outcome: Outcome, charged: UsageCharged) -> str | None:
    usage = outcome.case.usage
    if not usage:
        counted = (
            charged.usage_source == "estimated" and charged.usage_raw is None and charged.units.input > 0
        )
        return None if counted else f"no usage was sent, but: {charged.usage_source}"
    if charged.usage_source != "provider" or json.loads(charged.usage_raw or "null") != usage:
        return f"usage of the {charged.usage_source}"
    expected = expected_units(outcome.case.provider, usage)
    cut = charged.usage_flags == ("absurd", "clamped") and charged.units.input < expected.input
    if outcome.case.id in SEARCHED_UNASKED and cut:
        return None
    if charged.units != expected:
        return f"{charged.units} for {expected}, flags {charged.usage_flags}"
    odd = outcome.case.id == NOT_ADDING_UP
    if adds_up(expected, usage) == odd or ("total_mismatch" in charged.usage_flags) != odd:
        return f"total {usage['total_tokens']}, flags {charged.usage_flags}"
    return None


def fault_of_refusal(outcome: Outcome) -> str | None:
    """An error of the provider reaches the client as an envelope with a sane status, and costs nothing."""
    if outcome.status not in STATUSES[outcome.case.status]:
        return f"status {outcome.status} for {outcome.case.status}"
    if not isinstance(outcome.ended, RequestReleased):
        return "charged"
    body: dict[str, Any] = json.loads(outcome.content)
    error = body["error"]
    if body.keys() != {"error"} or error.keys() != ENVELOPE:
        return f"members {sorted(body)} {sorted(error)}"
    told = all(isinstance(error[name], str) and error[name] for name in ("message", "type", "code"))
    if not told or outcome.ended.code != error["code"]:
        return f"code {error['code']}"
    if any(secret in outcome.content for secret in (b"sk-", b"127.0.0.1", b"recorded/model")):
        return "tells of the provider's side"
    return None
