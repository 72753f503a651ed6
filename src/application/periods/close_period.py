"""Seal the books of a month."""

from typing import ClassVar

from application.command import Command, Done, Ports, execute, stamp
from domain import periods
from domain.fact import Actor
from domain.operators import Permission
from domain.periods import PERIODS_STREAM, Periods


class ClosePeriod(Command, frozen=True, kw_only=True):
    """The trial balance at the end of this month is sealed in the log."""

    permission: ClassVar[Permission] = "credit"

    period: str


def handle(command: ClosePeriod, *, actor: Actor, ports: Ports) -> Done:
    """Close it; raises as `periods.close`, and `BooksBehind` while the books do not reach the month's end."""
    at = stamp(ports, actor)
    until_us = periods.require_over(command.period, now_us=at.now_us)
    seal = ports.books.seal(until_us=until_us, head_position=ports.store.head_position())
    return execute(
        ports.store,
        PERIODS_STREAM,
        Periods(),
        periods.evolve,
        lambda state: periods.close(state, period=command.period, seal=seal, stamp=at),
    )
