"""Rewrites the models of the presets from a file of facts, by hand: `python -m tools.gen_presets FACTS.json`.

What is known of a provider as such (addresses, endpoints, roles, notes) is edited in its preset itself and kept; its
models, with their prices, are written anew. What the gateway could not ask for, or is gone by the day of the facts, is
left out and counted on standard error. Look at the difference before committing it: nobody else does.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tools.preset_prices import dated_prices, region_factors
from tools.preset_traits import traits_of

_DATA: Final = Path(__file__).parent.parent / "src/application/catalogue/presets/data"
_KINDS: Final = {
    "chat": "chat",
    "responses": "chat",
    "embedding": "embedding",
    "image_generation": "image",
    "audio_speech": "speech",
    "audio_transcription": "transcription",
    "moderation": "moderation",
}
_PATHS: Final = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/images/generations": "images",
    "/v1/images/edits": "image-edits",
    "/v1/audio/speech": "speech",
    "/v1/audio/transcriptions": "transcriptions",
}
_OF_KIND: Final = {
    "embedding": ("embeddings",),
    "moderation": ("moderations",),
    "speech": ("speech",),
    "transcription": ("transcriptions",),
}
_TRANSLATES: Final = "whisper-1"
#: Whose entries give a song the price of a picture and its tokens none: neither is how the gateway would ask for it.
_SONGS: Final = "lyria-"
#: OpenAI's figures of the longest prompt to which the answer comes on top; all others are of both together.
_PROMPT_ALONE: Final = (272_000, 922_000)


class _LeftOut(Exception):
    """A model has no place in a preset; the message says why."""


def main(facts_path: str) -> None:
    facts = json.loads(Path(facts_path).read_text(encoding="utf-8"))
    for provider in facts["providers"]:
        path = _DATA / f"{provider['id']}.json"
        preset = json.loads(path.read_text(encoding="utf-8"))
        left_out: Counter[str] = Counter()
        preset["models"] = list(_models(provider, preset, facts, left_out))
        preset["read"] = facts["generated"]
        path.write_text(_text(preset), encoding="utf-8")
        sys.stderr.write(f"{provider['id']}: {len(preset['models'])} models, left out {dict(left_out)}\n")


def _models(
    provider: dict[str, Any], preset: dict[str, Any], facts: dict[str, Any], left_out: Counter[str]
) -> Any:
    offered = {operation for endpoint in preset["endpoints"] for operation in endpoint["operations"]}
    for model in sorted(provider["models"], key=lambda one: one["id"]):
        try:
            yield _model(provider, model, offered=offered, today=facts["generated"])
        except _LeftOut as reason:
            left_out[str(reason)] += 1


def _model(
    provider: dict[str, Any], model: dict[str, Any], *, offered: set[str], today: str
) -> dict[str, Any]:
    gone = model.get("deprecation_date")
    if gone is not None and gone < today:
        raise _LeftOut("gone")
    kind = _KINDS.get(model["mode"])
    if kind is None or model["id"].startswith(_SONGS):
        raise _LeftOut("of a kind that is not served")
    operations = _operations(provider["id"], kind, model) & offered
    if not operations:
        raise _LeftOut("not behind an endpoint that is served")
    context = _context(model["context"])
    if kind == "chat" and context["context_tokens"] is None:
        raise _LeftOut("of unknown size")
    prices = dated_prices(provider["id"], kind, model, today=today)
    entry = {
        "id": model["id"],
        "kind": kind,
        **context,
        "operations": sorted(operations),
        "traits": traits_of(provider["id"], kind, model),
        "deprecated": gone,
        "region_factors": region_factors(model),
        "prices": prices,
    }
    return {name: value for name, value in entry.items() if value not in (None, [], {})}


def _operations(provider: str, kind: str, model: dict[str, Any]) -> set[str]:
    paths = model.get("endpoints")
    listed = {_PATHS[path] for path in paths or () if path in _PATHS}
    if kind == "chat":
        return _chat_operations(provider, model["mode"], paths, listed)
    if kind == "image":
        # Gemini's own dialect answers with pictures in a chat; only what cannot do that has another endpoint.
        in_chat = {"chat"} if provider == "gemini" and "chat" in listed else set()
        return in_chat or (listed & {"images", "image-edits"}) or {"images"}
    if kind == "transcription" and model["id"] == _TRANSLATES:
        return {"transcriptions", "translations"}
    return {operation for operation in _OF_KIND[kind] if paths is None or operation in listed}


def _chat_operations(provider: str, mode: str, paths: list[str] | None, listed: set[str]) -> set[str]:
    if mode == "responses":
        return {"responses"}
    if provider == "anthropic":
        return {"messages"}
    if paths is not None and "chat" not in listed:
        return set()
    return {"chat", "messages"} | (listed & {"responses"})


def _context(context: dict[str, Any]) -> dict[str, Any]:
    prompt, answer = context["max_input_tokens"], context["max_output_tokens"]
    together = prompt + answer if prompt in _PROMPT_ALONE else prompt
    return {"context_tokens": together, "output_tokens_max": answer}


def _text(preset: dict[str, Any]) -> str:
    """One line a model, so that a difference reads like a list of changes."""
    head = json.dumps({**preset, "models": []}, indent=2, ensure_ascii=False)
    lines = ",\n".join(f"    {json.dumps(one, ensure_ascii=False)}" for one in preset["models"])
    return head.removesuffix("[]\n}") + f"[\n{lines}\n  ]\n}}\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
