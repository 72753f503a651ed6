"""What a tool of the command line is, and what it gives back."""

import argparse
from collections.abc import Callable
from typing import Any

import msgspec

from commandline.help import sentence
from settings import Settings


class Outcome(msgspec.Struct, frozen=True):
    """`value` for scripts, `text` for people if its fields do not say it well; `status` is the exit code."""

    value: object
    status: int = 0
    text: str | None = None


Tool = Callable[[Settings, argparse.Namespace], Outcome]


def add_tool(commands: Any, name: str, tool: Tool, words: str) -> argparse.ArgumentParser:
    """A parser that leads to `tool`."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=sentence(words))
    parser.set_defaults(tool=tool)
    return parser
