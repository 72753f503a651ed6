"""Send a mail that says that mail works."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.command import Command, Ports
from application.i18n.locales import Locale
from application.mail.letters import MailCheck
from application.mail.outbox import Mail
from application.mail.send import send
from domain.fact import Actor
from domain.operators import Permission
from domain.refusal import WrongState


class CheckMail(Command, frozen=True, kw_only=True):
    """A mail to an address of the operator's own. The same mail id is sent once."""

    permission: ClassVar[Permission] = "accounts"

    email: str
    locale: Locale = "en"
    mail_id: UUID | None = None

    def __repr__(self) -> str:
        return "CheckMail(***)"


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that is to be sent."""

    id: UUID


def handle(command: CheckMail, *, actor: Actor, ports: Ports) -> Queued:  # noqa: ARG001  # any may
    """Queue it.

    Raises:
        WrongState: this installation sends no mail.
        Others as `send`.
    """
    if not ports.mail_on:
        raise WrongState("mail", "off: set SMTP_URL or MAIL_DIR")
    mail_id = command.mail_id or ports.ids.new()
    mail = Mail(
        mail_id=mail_id, subject_id=mail_id, to=command.email, locale=command.locale, letter=MailCheck()
    )
    send(mail, outbox=ports.outbox, clock=ports.clock)
    return Queued(id=mail_id)
