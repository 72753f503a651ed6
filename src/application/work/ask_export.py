"""Have a worker write what the log says into a file, which the console then hands out for some days."""

from typing import ClassVar, Literal
from uuid import UUID

from application.command import Command, Created, Ports, execute, stamp
from domain import work as rules
from domain.fact import Actor
from domain.operators import Permission
from domain.work import EVERYTHING, work_stream


class AskExport(Command, frozen=True, kw_only=True):
    """`ledger`: every event, for auditors; `charges`: what each request cost, of the month `of` in UTC or of all;
    `journal`: the books for plain-text accounting, `of` being `beancount` or `hledger`.
    """

    permission: ClassVar[Permission] = "read"

    what: Literal["ledger", "charges", "journal"]
    of: str = EVERYTHING
    work_id: UUID | None = None


def handle(command: AskExport, *, actor: Actor, ports: Ports) -> Created:
    """Ask for it; nothing is written when this returns. Raises as `work.ask`."""
    work_id, at = command.work_id or ports.ids.new(), stamp(ports, actor)
    done = execute(
        ports.store,
        work_stream(work_id),
        None,
        rules.evolve,
        lambda work: rules.ask(work, work_id=work_id, kind=command.what, target=command.of, stamp=at),
    )
    return Created(id=work_id, done=done)
