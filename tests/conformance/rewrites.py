"""What may differ between what a provider sent and what its client gets, written down from the rules, not from the code."""

import copy
from typing import Any

from tests.conformance.corpus import Case, document_of

OUR_COST = ("cost", "cost_details", "cost_in_usd_ticks", "is_byok")
STOPS = {"eos": "stop", "": None}


def expected_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """A whole answer as its client should get it."""
    expected = copy.deepcopy(answer)
    _hide_cost(expected)
    if expected.get("service_tier") == "on_demand":
        expected["service_tier"] = "default"
    for choice in expected["choices"]:
        _mend_stop(choice)
        for call in choice["message"].get("tool_calls") or []:
            if call.get("type") is None and "function" in call:
                call["type"] = "function"
    return expected


def expected_events(case: Case, *, wanted: bool) -> list[tuple[bytes, dict[str, Any] | None]]:
    """A stream's events: each as it came, and the document it should hold if that is another one."""
    calls = 0
    sent: list[tuple[bytes, dict[str, Any] | None]] = []
    for event in case.events:
        original = document_of(event)
        if original is None:
            sent.append((event, None))
            continue
        expected = copy.deepcopy(original)
        if expected.get("usage") and not expected["choices"] and not wanted:
            continue
        if not wanted:
            expected.pop("usage", None)
        _hide_cost(expected)
        if expected.get("object") == "":
            expected["object"] = "chat.completion.chunk"
        for choice in expected["choices"]:
            _mend_stop(choice)
            for call in (choice.get("delta") or {}).get("tool_calls") or []:
                calls += call.get("id") is not None
                _mend_call(call, index=calls - 1)
        sent.append((event, None if expected == original else expected))
    return sent


def _mend_call(call: dict[str, Any], *, index: int) -> None:
    if call.get("index") is None:
        call["index"] = index
    if call.get("id") is not None and call.get("type") is None:
        call["type"] = "function"


def _mend_stop(choice: dict[str, Any]) -> None:
    if choice.get("finish_reason") in STOPS:
        choice["finish_reason"] = STOPS[choice["finish_reason"]]


def _hide_cost(document: dict[str, Any]) -> None:
    usage = document.get("usage") or {}
    for name in OUR_COST:
        usage.pop(name, None)


def asks_for_cost(request: dict[str, Any]) -> bool:
    return bool((request.get("usage") or {}).get("include"))


def expected_request(request: dict[str, Any], *, model: str, output_tokens_max: int) -> dict[str, Any]:
    """A request as its provider should get it: its model, one bound of the answer, and usage asked for.

    What asks the gateway for the cost is for the gateway alone.
    """
    expected = {name: value for name, value in request.items() if name != "usage"}
    bounds = [expected.pop(name, None) for name in ("max_tokens", "max_completion_tokens")]
    narrowest = min([output_tokens_max, *(bound for bound in bounds if bound is not None)])
    # Some upstreams take 0 for no bound at all.
    expected |= {"model": model, "max_tokens": max(narrowest, 1)}
    if request.get("stream"):
        expected["stream_options"] = {**(request.get("stream_options") or {}), "include_usage": True}
    return expected
