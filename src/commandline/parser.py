"""Arguments of the command line from the fields of the commands: `--account-id` for `account_id`, and so on."""

import argparse
import getpass
import sys
import textwrap
import types
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec

from api.admin.commands import COMMANDS
from api.admin.fields import OWN_ID, WORDS
from api.admin.tables.entry import Entry
from application.command import Command, decode_hook
from commandline.help import Parser, lowered
from domain.secret import Secret

_ENTRY: Final = "entry"
_METAVARS: Final = {str: "TEXT", int: "NUMBER", UUID: "UUID"}


class BadArgument(Exception):
    """An argument cannot be read; nothing was done. The message repeats no secret."""


def add_commands(nouns: "dict[str, Any]") -> None:
    """One parser per entry of the table; `nouns` gives the sub-parsers of each noun."""
    for entry in COMMANDS:
        parser = nouns[entry.noun].add_parser(entry.verb, help=lowered(entry.title), description=_help(entry))
        parser.set_defaults(entry=entry)
        for field in msgspec.structs.fields(entry.command):
            kind = _without_none(field.type)
            if kind is not Secret:
                _add_field(parser, field, kind, is_new=field.name == entry.new_id)


def read_command(values: argparse.Namespace) -> Command:
    """The command that the arguments describe; a secret comes from standard input.

    Raises:
        BadArgument: a value does not fit.
    """
    entry: Entry = getattr(values, _ENTRY)
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(entry.command):
        kind = _without_none(field.type)
        if kind is Secret:
            given[field.name] = _read_secret(field.name)
        elif (value := getattr(values, field.name)) is not None:
            given[field.name] = value if _is_plain(kind) else _read_json(field.name, value)
        elif field.required:
            given[field.name] = None
    try:
        return msgspec.convert(given, entry.command, strict=False, dec_hook=decode_hook)
    except msgspec.ValidationError as error:
        raise BadArgument(str(error)) from None


def _add_field(parser: Parser, field: Any, kind: Any, *, is_new: bool) -> None:
    more: dict[str, Any] = {}
    if get_origin(kind) is Literal:
        more["choices"] = get_args(kind)
    if _is_texts(kind):
        more |= {"nargs": "+", "metavar": "NAME"}
    elif kind is bool:
        more["choices"] = ("true", "false")
    elif "choices" not in more:
        more["metavar"] = _METAVARS.get(kind, "JSON")
    notes = [OWN_ID if is_new else WORDS.get(field.name, "")]
    if not _is_plain(kind):
        notes.append("JSON, or @FILE with JSON, or - for standard input")
    if field.default not in {msgspec.NODEFAULT, None, ()}:
        notes.append(f"default {field.default}")
    parser.add_field(
        f"--{field.name.replace('_', '-')}",
        required=field.required and not _allows_none(field.type),
        dest=field.name,
        help="; ".join(filter(None, notes)).replace("%", "%%"),
        **more,
    )


def _is_texts(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[0] is str


def _is_plain(kind: Any) -> bool:
    return (
        get_origin(kind) is Literal
        or _is_texts(kind)
        or (isinstance(kind, type) and get_origin(kind) is None and not issubclass(kind, msgspec.Struct))
    )


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in {Union, types.UnionType}:
        (rest,) = (one for one in get_args(kind) if one is not type(None))
        return rest
    return kind


def _allows_none(kind: Any) -> bool:
    return type(None) in get_args(kind)


def _help(entry: Entry) -> str:
    words = entry.words.replace("%", "%%")
    if any(_without_none(field.type) is Secret for field in msgspec.structs.fields(entry.command)):
        words += " The secret is read from standard input."
    return textwrap.fill(words, width=100)


def _read_secret(name: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{name}: ")
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise BadArgument(f"the {name} is read from standard input, and there is none")
    return text


def _read_json(name: str, value: str) -> Any:
    try:
        if value == "-":
            value = sys.stdin.read()
        elif value.startswith("@"):
            value = Path(value[1:]).read_text(encoding="utf-8")
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadArgument(f"{name} is no valid JSON") from None
    except OSError as error:
        raise BadArgument(f"{name}: cannot read {value[1:]}: {error.strerror}") from None
