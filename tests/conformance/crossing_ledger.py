"""What must hold for one recorded answer at its provider and in the ledger. As `crossing_checks`, which has the client's side."""

import json
from typing import Any

from domain.ledger.events import RequestReleased, Units, UsageCharged
from tests.conformance.crossing import PATHS, UPSTREAM_MODEL, Crossed
from tests.conformance.oracle import expected_nano
from tests.conformance.recordings import Json, Kind
from tests.conformance.replay import OUTPUT_TOKENS_MAX
from tests.conformance.used import units_of, usage_of

CODES = {"model_not_found", "insufficient_quota"}
"""Errors with status 400 that are about the gateway's set-up there, not its client's request."""


def fault_of_request(outcome: Crossed) -> str | None:
    """The provider was asked once; by a client of its own dialect for the same, but for its model and one bound."""
    if len(outcome.asked) != 1:
        return f"asked {len(outcome.asked)} times"
    crossing, asked = outcome.crossing, outcome.asked[0]
    if not crossing.native:
        return _fault_of_path(outcome)
    request = crossing.made_up if outcome.tied else crossing.request
    allowed = {"model", "x_replay", "store", "max_tokens", "max_output_tokens", "stream_options"}
    changed = {name for name in request | asked if request.get(name) != asked.get(name)} - allowed
    if changed or asked["model"] != UPSTREAM_MODEL:
        return f"changed: {sorted(changed)}"
    if crossing.client == "responses" and asked["store"] is not False:
        return "stored"
    return _fault_of_bound(outcome, request)


def _fault_of_bound(outcome: Crossed, request: Json) -> str | None:
    name = "max_output_tokens" if outcome.crossing.client == "responses" else "max_tokens"
    limit, asked = request.get(name), outcome.asked[0][name]
    if limit is not None and asked != max(
        min(limit, OUTPUT_TOKENS_MAX), outcome.crossing.client != "messages"
    ):
        return f"{name} {asked} for {limit}"
    return None


def _fault_of_path(outcome: Crossed) -> str | None:
    recording = outcome.recording
    if recording.kind == "gemini":
        method = "streamGenerateContent?alt=sse" if recording.stream else "generateContent"
        wanted = f"/v1beta/models/{UPSTREAM_MODEL}:{method}"
    else:
        wanted = PATHS[recording.kind]
    return None if outcome.path == wanted else f"asked at {outcome.path}"


def fault_of_charge(outcome: Crossed) -> str | None:
    """One charge, of exactly what the provider says that was used, to the last nano-credit."""
    charged, recording = outcome.ended, outcome.recording
    if not isinstance(charged, UsageCharged) or charged.result != "completed":
        return "not charged"
    if charged.charge_nano != expected_nano(charged.units) or charged.shortfall_nano:
        return f"{charged.charge_nano} charged, {charged.shortfall_nano} beyond the hold"
    usage = usage_of(recording)
    if not usage:
        return None if charged.usage_source == "estimated" else "usage from nowhere"
    if figures_in(json.loads(charged.usage_raw or "{}")) != figures_in(usage):
        return "another usage was kept"
    return _fault_of_units(
        charged, units_of(recording.kind, recording.provider, usage), told=is_told(recording.kind, usage)
    )


def _fault_of_units(charged: UsageCharged, expected: Units, *, told: bool) -> str | None:
    if not told:
        counted = charged.usage_source == "estimated" and charged.units.input > 0
        return None if counted and charged.units.output >= expected.output else "not counted"
    if charged.usage_source != "provider":
        return f"usage of the {charged.usage_source}"
    return None if charged.units == expected else f"{_shown(charged.units)} for {_shown(expected)}"


def figures_in(value: Any) -> Any:
    """What the ledger keeps of a usage object: its figures, and no text. Empty objects and lists go too."""
    if isinstance(value, dict):
        kept = {
            name: figures_in(one) for name, one in value.items() if name != "trafficType"
        }  # a name, or its number
        return {name: one for name, one in kept.items() if one is not None and one not in ({}, [])}
    if isinstance(value, list):
        return [found for one in value if isinstance(one, dict) and (found := figures_in(one))]
    return None if isinstance(value, str) else value


def is_told(kind: Kind, usage: Json) -> bool:
    """Whether prompt and answer both have a figure; of Gemini's, zeros are left out where a total says so."""
    needed = {
        "chat": ("prompt_tokens", "completion_tokens"),
        "completions": ("prompt_tokens", "completion_tokens"),
        "messages": ("input_tokens", "output_tokens"),
        "responses": ("input_tokens", "output_tokens"),
        "gemini": ("promptTokenCount", "totalTokenCount"),
    }
    return all(usage.get(name) is not None for name in needed[kind])


def _shown(units: Units) -> dict[str, int]:
    return {name: value for name in units.__struct_fields__ if (value := getattr(units, name))}


def fault_of_refusal(outcome: Crossed) -> str | None:
    """An error of the provider reaches the client in the client's envelope, and costs nothing."""
    status, content = outcome.answer.status_code, outcome.answer.content
    if outcome.asked and not isinstance(outcome.ended, RequestReleased):
        return "charged"
    recorded = outcome.recording.status
    wanted = {200: {502}, 400: {400}, 401: {502}, 404: {502}, 429: {503, 529}}[recorded]
    if recorded == 400 and (outcome.recording.documents[0].get("error") or {}).get("code") in CODES:
        wanted = {502}
    if status not in wanted:
        return f"status {status} for {recorded}"
    body = json.loads(content)
    if outcome.crossing.client == "messages":
        if body.keys() != {"type", "error", "request_id"} or body["error"].keys() != {"type", "message"}:
            return f"members {sorted(body)}"
    elif body["error"].keys() != {"message", "type", "param", "code"}:
        return f"members {sorted(body['error'])}"
    secrets = (b"sk-", b"127.0.0.1", UPSTREAM_MODEL.encode())
    return "tells of the provider's side" if any(secret in content for secret in secrets) else None
