"""Have read models built anew beside those in use, by a worker."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Created, Ports, execute, stamp
from domain import work as rules
from domain.fact import Actor
from domain.operators import Permission
from domain.work import EVERYTHING, work_stream


class AskRebuild(Command, frozen=True, kw_only=True):
    """Of the read model `of`, or of all of them."""

    permission: ClassVar[Permission] = "operators"

    of: str = EVERYTHING
    work_id: UUID | None = None


def handle(command: AskRebuild, *, actor: Actor, ports: Ports) -> Created:
    """Ask for it; nothing is built when this returns. Raises as `work.ask`."""
    work_id, at = command.work_id or ports.ids.new(), stamp(ports, actor)
    done = execute(
        ports.store,
        work_stream(work_id),
        None,
        rules.evolve,
        lambda work: rules.ask(work, work_id=work_id, kind="rebuild", target=command.of, stamp=at),
    )
    return Created(id=work_id, done=done)
