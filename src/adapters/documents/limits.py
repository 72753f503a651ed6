"""What printing one document may take. Beyond it the child is killed, and there is no document."""

from typing import Final

import msgspec


class PrintLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Of the child process that prints one document."""

    memory_bytes: int = 1 << 30  #: of address space
    cpu_s: int = 180
    wall_s: float = 600.0
    output_bytes: int = 32 << 20
    rows: int = 5000  #: in all tables of a page
    chars: int = 4_000_000  #: of all texts of a page
    waiting: int = 8  #: documents that are printed or wait for it in one process; more are refused


LIMITS: Final = PrintLimits()
