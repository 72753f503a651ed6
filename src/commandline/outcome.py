"""What a tool of the command line comes to."""

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """`value` for scripts, `text` for people if its fields do not say it well; `status` is the exit code."""

    value: object
    status: int = 0
    text: str | None = None
