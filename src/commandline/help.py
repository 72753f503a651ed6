"""How the help of the command line looks."""

import argparse
import sys
from typing import Any, NoReturn

from commandline.output import fail

_NAME_COLUMNS = 28
_COLUMNS_MAX = 110
_NAMES_WIDTH = 16


class Parser(argparse.ArgumentParser):
    """An argument parser whose help lists what is required first, and whose sub-parsers are of its kind."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **more})
        self._required_ones: argparse._ArgumentGroup | None = None  # made when there is one, or it shows

    def error(self, message: str) -> NoReturn:
        """On one line with a code, as all errors; scripts that ask for JSON get it here too."""
        words = f"{message} (`{self.prog} --help` tells more)"
        fail("invalid_argument", words, as_json="--json" in sys.argv)
        self.exit(2)

    def add_field(self, flag: str, *, required: bool, **more: Any) -> None:
        """One option of a command, in the group where a reader looks for it."""
        if required and self._required_ones is None:
            self._required_ones = self.add_argument_group("required")
            self._action_groups.sort(key=lambda group: group is not self._required_ones)
        into = self._required_ones if required and self._required_ones else self
        into.add_argument(flag, required=required, **more)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Names and words side by side, also for long names; examples keep their lines."""

    def __init__(self, prog: str, **more: Any) -> None:
        super().__init__(prog, **{"max_help_position": _NAME_COLUMNS, **more})
        self._width = min(self._width, _COLUMNS_MAX)
        # The library forgets that the names of sub-commands are indented, and breaks the line after long ones.
        self._action_max_length = _NAMES_WIDTH


def lowered(sentence: str) -> str:
    """As it stands in a list; a word in capitals stays so."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def sentence(words: str) -> str:
    """As it stands alone."""
    return f"{words[:1].upper()}{words[1:]}."
