"""`logprobsResult` as the `logprobs` of a choice."""

from itertools import zip_longest
from typing import Any, Final

from application.dialects.port import Json

LOGPROB_MAX: Final = 1e9  #: no probability is smaller than that; infinity and what is no number is none


def chat_logprobs(result: Any) -> Json | None:
    """The tokens chosen and, if told, their rivals; `None` if there is nothing to read. Never raises."""
    if type(result) is not dict:
        return None
    tops = [item.get("candidates") for item in _objects(result.get("topCandidates"))]
    content = [
        {**entry, "top_logprobs": [rival for rival in map(_entry, _objects(top)) if rival is not None]}
        for entry, top in zip_longest(map(_entry, _objects(result.get("chosenCandidates"))), tops)
        if entry is not None
    ]
    return {"content": content, "refusal": None} if content else None


def _objects(value: Any) -> list[Json]:
    return [item for item in value if type(item) is dict] if type(value) is list else []


def _entry(candidate: Json) -> Json | None:
    token, logprob = candidate.get("token", ""), candidate.get("logProbability", 0.0)
    if type(token) is not str or not _is_logprob(logprob):
        return None
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8", "replace"))}


def _is_logprob(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < LOGPROB_MAX
