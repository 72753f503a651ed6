"""The OpenAPI document of an API, made from its table of commands and its GET routes: the operators', and the customers'."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler

from api.admin.answer_schemas import command_answer, query_parameters, reading_answer, simple_nulls
from api.admin.codes import STATUSES
from api.admin.fields import OWN_ID, WORDS
from api.admin.problems import MEDIA_TYPE
from api.admin.tables.entry import Entry
from domain.secret import Secret

_REF: Final = "#/components/schemas/{name}"
_PLACE: Final = re.compile(r"{(\w+):(\w+)}")  # what a path names, and its type
_PLACE_SCHEMAS: Final = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
    "str": {"type": "string"},
}
_PROBLEM: Final = {
    "description": "An error with a stable code.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
}
_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {name: {"type": "string"} for name in ("type", "title", "detail")}
    | {"status": {"type": "integer"}, "code": {"type": "string", "examples": sorted(STATUSES)}},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body gets the first answer; with another body it is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_PARAMETERS: Final = {
    "after": "`next_after` of the page before.",
    "before_position": "`next_before` of the page before.",
    "limit": "Items on a page.",
    "alias": "What the client wrote in `model`.",
    "client_ref": "What the client sent as `x-client-request-id`.",
    "admitted_from_us": "Admitted at this time or later.",
    "admitted_until_us": "Admitted before this time.",
    "price_version": "Charged by this version of the prices.",
    "last_position_from": "Ended at this position or behind it: `first_position` of a statement's line.",
    "last_position_to": "Ended at this position or before it: `last_position` of a statement's line.",
    "actor": "`operator:` or `member:` and the person's id, or `system`.",
    "topic": "What was done, as docs/events.md names it, such as account.suspended.v1.",
    "subject_kind": "Done to this kind of things: account, key, alias, prices, ...",
    "subject": "Done to this one: an id, or a name where things have no id.",
    "by": "What to add up by, with commas between: a row for each combination. Nothing: one row for all.",
    "from_us": "The period's beginning, at a quarter hour.",
    "until_us": "The period's end, at a quarter hour; not in it.",
    "month": "A month such as 2026-11, instead of two times.",
    "zone": "The time zone of months, days and hours, such as Asia/Tokyo.",
    "from": "Events in the shorter log.",
    "before": "`next_before` of the page before.",
    "before_us": "`next_before_us` of the page before.",
    "needs_somebody": "Whether an operator must look at it.",
    "reference": "What the customer writes on a transfer.",
    "as_of": "Up to this position, or to what was recorded by an instant such as 2026-11-29T14:03:00Z.",
    "after_position": "`next_after` of the page before.",
    "prefix": "How the current secret begins, as it is shown.",
    "to": "Events in the longer log; else those of the newest checkpoint.",
}


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """What the document says of the whole API. `scheme` names its bearer token, `token` explains it."""

    title: str
    about: str
    prefix: str
    scheme: str
    token: str


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A command as the API offers it: `permission` is what it needs there, `fields` those that may be given."""

    entry: Entry
    permission: str
    fields: frozenset[str] | None = None  #: none: all

    @property
    def new_id(self) -> str | None:
        """The field with the id of what it makes, if that may be given."""
        new_id = self.entry.new_id
        return new_id if self.fields is None or new_id in self.fields else None


def document(
    surface: Surface, commands: Sequence[Offered], reading: Sequence[HTTPRouteHandler]
) -> dict[str, Any]:
    """OpenAPI 3.1."""
    prefix = surface.prefix
    inputs, components = msgspec.json.schema_components(
        [one.entry.command for one in commands], ref_template=_REF, schema_hook=_secret
    )
    paths: dict[str, Any] = {}
    for one, schema in zip(commands, inputs, strict=True):
        _explain(components[one.entry.command.__name__], one)
        answer, more = command_answer(one.entry.handle, ref=_REF)
        components |= more
        paths[prefix + one.entry.path] = {"post": _command(one, schema, answer)}
    for route in reading:
        answer, more = reading_answer(route.fn, ref=_REF)
        components |= more
        for path in route.paths:
            paths.setdefault(prefix + _PLACE.sub(r"{\1}", path), {})["get"] = _reading(route, path, answer)
    return {
        "openapi": "3.1.0",
        "info": {"title": surface.title, "version": "1", "description": surface.about},
        "security": [{surface.scheme: []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(path, prefix) for path in paths)],
        "paths": paths,
        "components": {
            "schemas": simple_nulls({**components, "Problem": _PROBLEM_SCHEMA}),
            "securitySchemes": {
                surface.scheme: {"type": "http", "scheme": "bearer", "description": surface.token}
            },
        },
    }


def _explain(schema: dict[str, Any], offered: Offered) -> None:
    """Leave out what may not be given, and say what each field means."""
    schema.pop("description", None)  # for readers of the code
    if offered.fields is not None:
        schema["properties"] = {
            name: field for name, field in schema["properties"].items() if name in offered.fields
        }
        schema["required"] = [name for name in schema.get("required", []) if name in offered.fields]
    for name, field in schema["properties"].items():
        field["description"] = OWN_ID if name == offered.new_id else WORDS.get(name, "")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _tag(path: str, prefix: str = "") -> str:
    return path.removeprefix(prefix).split("/")[1]


def _command(offered: Offered, schema: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    entry = offered.entry
    return {
        "operationId": f"{entry.noun}_{entry.verb}",
        "tags": [_tag(entry.path)],
        "summary": entry.title,
        "description": f"{entry.words.removeprefix(entry.title + '.')}\n\nNeeds the permission `{offered.permission}`.".strip(),
        "parameters": [_KEY],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "201" if entry.new_id else "200": _answer("Done.", answer),
            "default": _PROBLEM,
        },
    }


def _reading(route: HTTPRouteHandler, path: str, answer: dict[str, Any]) -> dict[str, Any]:
    places = dict(_PLACE.findall(path))
    name = route.handler_name.rpartition(".")[2]
    return {
        "operationId": name,
        "tags": [_tag(path)],
        "summary": _sentence(name.replace("_", " ")),
        "description": f"{(route.fn.__doc__ or '').strip()}\n\nNeeds the permission `read`.".strip(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": _PLACE_SCHEMAS[kind]}
            for name, kind in places.items()
        ]
        + query_parameters(route.fn, but=list(places), descriptions=_PARAMETERS),
        "responses": {"200": _answer("Found.", answer), "default": _PROBLEM},
    }


def _answer(words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": simple_nulls(schema)}}}


def _secret(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "format": "password", "writeOnly": True}
    raise NotImplementedError
