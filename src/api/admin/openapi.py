"""The OpenAPI document of the admin API, made from the table of commands and the GET routes."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler

from api.admin.commands import COMMANDS, Entry
from api.admin.problems import MEDIA_TYPE
from domain.secret import Secret

_REF: Final = "#/components/schemas/{name}"
_PROBLEM: Final = {
    "description": "An error with a stable code.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
}
_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {name: {"type": "string"} for name in ("type", "title", "code", "detail")}
    | {"status": {"type": "integer"}},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body gets the first answer; with another body it is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def document(reading: Sequence[HTTPRouteHandler], *, prefix: str) -> dict[str, Any]:
    """OpenAPI 3.1. Answers of commands are objects; their fields are named in the descriptions of the commands."""
    schemas, components = msgspec.json.schema_components(
        [entry.command for entry in COMMANDS], ref_template=_REF, schema_hook=_secret
    )
    paths: dict[str, Any] = {
        prefix + entry.path: {"post": _command(entry, schema)}
        for entry, schema in zip(COMMANDS, schemas, strict=True)
    }
    for route in reading:
        for path in route.paths:
            paths.setdefault(prefix + path.replace(":uuid}", "}"), {})["get"] = _reading(route, path)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tokenok admin API", "version": "1"},
        "security": [{"operator": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM_SCHEMA},
            "securitySchemes": {"operator": {"type": "http", "scheme": "bearer"}},
        },
    }


def _command(entry: Entry, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"{entry.noun}_{entry.verb}",
        "tags": [entry.noun],
        "summary": entry.summary,
        "description": f"Needs the permission `{entry.permission}`.",
        "parameters": [_KEY],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "201" if entry.new_id else "200": {
                "description": "Done.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "default": _PROBLEM,
        },
    }


def _reading(route: HTTPRouteHandler, path: str) -> dict[str, Any]:
    names = [part[1:].partition(":")[0] for part in path.split("/") if part.startswith("{")]
    return {
        "operationId": route.handler_name.rpartition(".")[2],
        "summary": (route.fn.__doc__ or "").strip(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
            for name in names
        ],
        "responses": {
            "200": {
                "description": "Found.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "default": _PROBLEM,
        },
    }


def _secret(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "format": "password", "writeOnly": True}
    raise NotImplementedError
