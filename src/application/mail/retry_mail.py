"""Send a parked mail again."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.mail.acts import record
from domain.fact import Actor
from domain.mails import MailRetried
from domain.operators import Permission
from domain.refusal import NotFound, WrongState


class RetryMail(Command, frozen=True, kw_only=True):
    """It is tried as if for the first time. If it may have arrived, it may arrive twice."""

    permission: ClassVar[Permission] = "accounts"

    mail_id: UUID


def handle(command: RetryMail, *, actor: Actor, ports: Ports) -> Done:
    """Record who wants it, then make it due.

    Raises:
        NotFound, WrongState: there is no such mail, or it is not parked.
        VaultUnavailable, LogUnavailable: command it again.
    """
    row = ports.outbox.find(command.mail_id)
    if row is None:
        raise NotFound("mail", command.mail_id)
    if row.state != "parked":
        raise WrongState("mail", row.state)
    at = stamp(ports, actor)
    fact = MailRetried(mail_id=command.mail_id, template=row.template, occurred_us=at.now_us, actor=at.actor)
    done = record(ports.store, fact)
    ports.outbox.retry(command.mail_id, now_us=at.now_us)
    return done
