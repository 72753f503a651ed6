"""The members of a chat request that become `generationConfig`."""

from typing import Any, Final

from application.dialects.gemini.checks import (
    flag,
    integer,
    mapping,
    number,
    sequence,
    text,
    unsupported,
    wrong_value,
)
from application.dialects.gemini.schema import Room, openapi_subset
from application.dialects.gemini.thinking import thinking_config
from application.dialects.gemini.tools import plain_schema
from application.dialects.gemini.traits import IMAGE_OUTPUT, LOGPROBS, ONE_CANDIDATE, PENALTIES, SCHEMA_SUBSET
from application.dialects.port import Json, Target

CANDIDATES_MAX: Final = 8
TOP_LOGPROBS_MAX: Final = 20
_SEED_BITS: Final = 0x7FFF_FFFF
_SAMPLING: Final = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}
_PENALTIES: Final = {"presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
_MODALITIES: Final = {"text": "TEXT", "image": "IMAGE"}


def generation_config(chat: Json, target: Target, dropped: list[str]) -> Json:
    """`generationConfig`; names of members that this model does not take are added to `dropped`.

    The bound is always sent, and thoughts count against it: a small one may leave nothing for the answer.

    Raises:
        InvalidRequest: a member is malformed, or asks for what this model cannot do.
    """
    config: Json = {"maxOutputTokens": target.output_tokens}
    for name, there in _SAMPLING.items():
        if chat.get(name) is not None:
            config[there] = number(chat[name], name)
    config |= _penalties(chat, target, dropped)
    if chat.get("seed") is not None:
        config["seed"] = integer(chat["seed"], "seed") & _SEED_BITS  # theirs has 32 bits
    stops = _stops(chat.get("stop"))
    if stops:
        config["stopSequences"] = stops
    if candidates(chat) > 1:
        config["candidateCount"] = _allowed_candidates(candidates(chat), target)
    config |= _logprobs(chat, target, dropped)
    config |= _response_format(chat.get("response_format"), target)
    config |= _modalities(chat.get("modalities"), target)
    thinking = thinking_config(chat, target, dropped)
    if thinking:
        config["thinkingConfig"] = thinking
    return config


def candidates(chat: Json) -> int:
    return 1 if chat.get("n") is None else integer(chat["n"], "n")


def wants_json(chat: Json) -> bool:
    wanted = chat.get("response_format")
    return type(wanted) is dict and wanted.get("type") in ("json_object", "json_schema")


def _allowed_candidates(count: int, target: Target) -> int:
    if ONE_CANDIDATE in target.traits or count > CANDIDATES_MAX:
        most = 1 if ONE_CANDIDATE in target.traits else CANDIDATES_MAX
        raise unsupported("n", f"must be at most {most} for this model")
    return count


def _penalties(chat: Json, target: Target, dropped: list[str]) -> Json:
    said: Json = {}
    for name, there in _PENALTIES.items():
        value = chat.get(name)
        if value is None:
            continue
        if PENALTIES in target.traits:
            said[there] = number(value, name)
        elif number(value, name) != 0:  # which changes nothing
            dropped.append(name)
    return said


def _stops(stop: Any) -> list[str]:
    if stop is None:
        return []
    stops = [stop] if type(stop) is str else sequence(stop, "stop")
    return [word for index, word in enumerate(stops) if text(word, f"stop[{index}]")]


def _logprobs(chat: Json, target: Target, dropped: list[str]) -> Json:
    wanted = chat.get("logprobs")
    if wanted is None or not flag(wanted, "logprobs"):
        return {}
    if LOGPROBS not in target.traits:
        dropped.append("logprobs")
        return {}
    top = chat.get("top_logprobs")
    if top is None or integer(top, "top_logprobs") == 0:
        return {"responseLogprobs": True}
    if not 0 < top <= TOP_LOGPROBS_MAX:
        raise wrong_value("top_logprobs", f"must be between 0 and {TOP_LOGPROBS_MAX}")
    return {"responseLogprobs": True, "logprobs": top}


def _response_format(wanted: Any, target: Target) -> Json:
    if wanted is None:
        return {}
    kind = mapping(wanted, "response_format").get("type")
    if kind == "text":
        return {}
    config: Json = {"responseMimeType": "application/json"}
    if kind == "json_object":
        return config
    if kind != "json_schema":
        raise wrong_value("response_format.type", "must be 'text', 'json_object' or 'json_schema'")
    param = "response_format.json_schema"
    schema = mapping(wanted.get("json_schema"), param).get("schema")
    if schema is None:
        return config
    schema = mapping(schema, f"{param}.schema")
    if SCHEMA_SUBSET in target.traits:
        return config | {"responseSchema": openapi_subset(schema, f"{param}.schema", Room(schema))}
    return config | {"responseJsonSchema": plain_schema(schema)}


def _modalities(wanted: Any, target: Target) -> Json:
    if wanted is None:
        return {}
    kinds: list[str] = []
    for index, word in enumerate(sequence(wanted, "modalities")):
        kind = _MODALITIES.get(text(word, f"modalities[{index}]"))
        if kind is None or (kind == "IMAGE" and IMAGE_OUTPUT not in target.traits):
            raise unsupported(f"modalities[{index}]", "is not a form in which this model answers")
        kinds.append(kind)
    return {"responseModalities": kinds} if "IMAGE" in kinds else {}
