"""The models on offer and what their names script. Any `sandbox-fault-NAME` is a model as well."""

from collections.abc import Iterable
from typing import Any, Final

from sandbox.script import EMPTY, Script

FAULT_PREFIX: Final = "sandbox-fault-"
EMBEDDING: Final = "sandbox-embed"
ECHO: Final = "sandbox-echo"
CREATED: Final = 1_767_225_600  # 2026-01-01T00:00:00Z

CATALOGUE: Final[dict[str, Script]] = {
    "sandbox-fast": EMPTY,
    "sandbox-slow": Script(first_byte_ms=300, chunk_ms=20),
    "sandbox-long": Script(tokens=2_000),
    "sandbox/nested-name": EMPTY,
    ECHO: EMPTY,
    EMBEDDING: EMPTY,
    "sandbox-image": EMPTY,
    "sandbox-voice": EMPTY,
    "sandbox-listener": EMPTY,
    "sandbox-moderation": EMPTY,
    "sandbox-rerank": EMPTY,
}


def serve_also(names: Iterable[str]) -> None:
    """These models too, as a proxy in front of a real provider would. They answer as `sandbox-fast` does."""
    CATALOGUE.update(dict.fromkeys(names, EMPTY))


def script_of(model: str, fault_names: frozenset[str]) -> Script | None:
    """What the name of a model scripts, or None if there is no such model."""
    script = CATALOGUE.get(model)
    if script is None and model.startswith(FAULT_PREFIX):
        fault = model.removeprefix(FAULT_PREFIX)
        return Script(fault=fault) if fault in fault_names else None
    return script


def described(model: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": CREATED, "owned_by": "tokenok-sandbox"}


def listing() -> dict[str, Any]:
    """What `GET /v1/models` shows: the catalogue without the fault models, which would drown it."""
    return {"object": "list", "data": [described(model) for model in CATALOGUE]}
