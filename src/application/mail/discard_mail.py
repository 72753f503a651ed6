"""Let a mail never be sent."""

from typing import ClassVar, Final
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.mail.acts import record
from domain.fact import Actor
from domain.mails import MailDiscarded
from domain.operators import Permission
from domain.refusal import NotFound, WrongState
from domain.text import REASON_CHARS_MAX, printable

_OPEN: Final = frozenset({"waiting", "parked"})


class DiscardMail(Command, frozen=True, kw_only=True):
    """What it says is dropped."""

    permission: ClassVar[Permission] = "accounts"

    mail_id: UUID
    reason: str


def handle(command: DiscardMail, *, actor: Actor, ports: Ports) -> Done:
    """Record who wants it, then drop it.

    Raises:
        NotFound: there is no such mail.
        WrongState: it is sent, being handed over, or discarded.
        BadField: the reason is empty or cannot be shown.
        VaultUnavailable, LogUnavailable: command it again.
    """
    reason = printable(command.reason, field="reason", chars_max=REASON_CHARS_MAX)
    row = ports.outbox.find(command.mail_id)
    if row is None:
        raise NotFound("mail", command.mail_id)
    if row.state not in _OPEN:
        raise WrongState("mail", row.state)
    at = stamp(ports, actor)
    fact = MailDiscarded(
        mail_id=command.mail_id,
        template=row.template,
        reason=reason,
        occurred_us=at.now_us,
        actor=at.actor,
    )
    done = record(ports.store, fact)
    if not ports.outbox.discard(command.mail_id, now_us=at.now_us, reason=reason):
        raise WrongState("mail", "handed over meanwhile")
    return done
