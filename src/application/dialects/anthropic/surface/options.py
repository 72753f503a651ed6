"""How to answer: sampling, stops, thinking and the form of the answer, as chat completions have them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from application.dialects.anthropic.surface.members import (
    an_object,
    count,
    invalid,
    number,
    optional_object,
    optional_text,
    text,
    unsupported,
    wrong_type,
)
from application.dialects.port import Json
from application.wire.head import OUTPUT_TOKENS_MAX

_LOW_TOKENS: Final = 2_000
_MEDIUM_TOKENS: Final = 8_000
"""Budgets of thinking below these ask for little and for medium effort; there is no exact equal."""

_NOT_ELSEWHERE: Final = ("container", "mcp_servers")
_ANYWHERE: Final = "global"
_TIERS: Final[Mapping[str, str]] = MappingProxyType({"standard_only": "default"})
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_FORMAT_NAME: Final = "output"


def options_of(request: Json) -> Json:
    """The members of a chat request that are neither messages nor tools, `model` and `stream` apart.

    Dropped, since they have no equal and the answer is right without them: `top_k`, `cache_control`, `speed`,
    `diagnostics`, `context_management`, and members that this dialect does not have.

    Raises:
        InvalidRequest: one is malformed, or asks for what no other provider has.
    """
    for name in _NOT_ELSEWHERE:
        if request.get(name):
            raise unsupported(name, "what this asks for")
    if optional_text(request.get("inference_geo"), "inference_geo") not in ("", _ANYWHERE):
        raise unsupported("inference_geo", "a choice of region")
    options = _limits(request)
    options |= _thinking(request)
    options |= _format(request)
    metadata = optional_object(request.get("metadata"), "metadata")
    user = optional_text(metadata.get("user_id"), "metadata.user_id")
    if user:
        options["user"] = user
    tier = optional_text(request.get("service_tier"), "service_tier")
    if tier not in ("", "auto"):  # that is what every provider does unasked
        if tier not in _TIERS:
            raise invalid("service_tier", "'auto' or 'standard_only'")
        options["service_tier"] = _TIERS[tier]
    return options


def _limits(request: Json) -> Json:
    options: Json = {}
    if request.get("max_tokens") is not None:
        options["max_tokens"] = _max_tokens(request["max_tokens"])
    for name in ("temperature", "top_p"):
        if request.get(name) is not None:
            options[name] = number(request[name], name)
    stops = request.get("stop_sequences")
    if stops is not None:
        if type(stops) is not list or not all(type(stop) is str for stop in stops):
            raise wrong_type("stop_sequences", "an array of strings")
        if stops:
            options["stop"] = list(stops)
    return options


def _max_tokens(value: Any) -> int:
    tokens = count(value, "max_tokens", least=0, most=OUTPUT_TOKENS_MAX)
    if tokens == 0:
        raise unsupported("max_tokens", "a request without an answer")
    return tokens


def _thinking(request: Json) -> Json:
    """Effort by its own name wins over a budget; thinking that adapts is the model's own choice."""
    config = optional_object(request.get("output_config"), "output_config")
    effort = optional_text(config.get("effort"), "output_config.effort")
    if effort and effort not in _EFFORTS:
        raise invalid("output_config.effort", "one of low, medium, high, xhigh and max")
    thinking = optional_object(request.get("thinking"), "thinking")
    kind = optional_text(thinking.get("type"), "thinking.type")
    if not effort and kind == "enabled":
        budget = count(
            thinking.get("budget_tokens"), "thinking.budget_tokens", least=1, most=OUTPUT_TOKENS_MAX
        )
        effort = _effort_of(budget)
    return {"reasoning_effort": effort} if effort else {}


def _effort_of(budget_tokens: int) -> str:
    if budget_tokens < _LOW_TOKENS:
        return "low"
    return "medium" if budget_tokens < _MEDIUM_TOKENS else "high"


def _format(request: Json) -> Json:
    """The schema of the answer, under either of the names that it has had."""
    config = optional_object(request.get("output_config"), "output_config")
    for value, param in (
        (config.get("format"), "output_config.format"),
        (request.get("output_format"), "output_format"),
    ):
        form = optional_object(value, param)
        if form:
            if text(form.get("type"), f"{param}.type") != "json_schema":
                raise unsupported(f"{param}.type", "this form of an answer")
            schema = an_object(form.get("schema"), f"{param}.schema")
            json_schema: Json = {"name": _FORMAT_NAME, "schema": schema}
            if is_strict(schema):
                json_schema["strict"] = True
            return {"response_format": {"type": "json_schema", "json_schema": json_schema}}
    return {}


def is_strict(schema: Json) -> bool:
    """Whether strict mode takes the schema: every object is closed and needs all its members. Others it refuses."""
    waiting: list[Any] = [schema]
    while waiting:
        value = waiting.pop()
        if type(value) is list:
            waiting.extend(value)
        elif type(value) is dict:
            properties = value.get("properties")
            if value.get("type") == "object" and not _is_closed(value, properties):
                return False
            waiting.extend(value.values())
    return True


def _is_closed(schema: Json, properties: Any) -> bool:
    required = schema.get("required")
    if schema.get("additionalProperties") is not False or type(properties) is not dict:
        return False
    return type(required) is list and properties.keys() <= {name for name in required if type(name) is str}
