"""Mails with a link that lets somebody in. The address is in no fact: it is sealed in the outbox until the mail has left."""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from application.command import Ports
from application.i18n.locales import Locale
from application.mail.address import mail_address
from application.mail.letters import Invitation, Role
from application.mail.outbox import Mail
from application.mail.send import send
from domain.invitations import INVITATION_VALID_US
from domain.refusal import Refusal, WrongState
from domain.secret import Secret

MAILS_MAX: Final = 30
WINDOW_US: Final = 3600 * 1_000_000
"""So many invitations go out by mail within an hour for one account, or to one operator: nobody is to use us to write to strangers."""


class TooManyInvitations(Refusal):
    """Enough mails for now. Nobody was invited."""

    code: ClassVar[str] = "too_many_invitations"


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to write to."""

    email: str
    locale: Locale

    def __repr__(self) -> str:
        return "Invited(***)"


def check_invited(invited: Invited, *, inviter_id: UUID, ports: Ports) -> None:
    """Before anything is decided: whether a mail could be sent. It is counted by this.

    Raises:
        WrongState: no mail is sent here, or it is not known where our pages are.
        BadField: the address is none.
        TooManyInvitations: see there.
    """
    if not ports.mail_on:
        raise WrongState("mail", "off: set SMTP_URL or MAIL_DIR")
    if not ports.pages_url:
        raise WrongState("mail", "without an address to lead to: set CONSOLE_URL")
    mail_address(invited.email)
    bucket = ports.hasher.digest(b"invitation mails\0" + inviter_id.bytes)
    now_us = ports.clock.now_us()
    if not ports.guesses.take(bucket, most=MAILS_MAX, now_us=now_us, since_us=now_us - WINDOW_US):
        raise TooManyInvitations("too many invitations by mail; try again in an hour")


def mail_invitation(
    invited: Invited, *, subject_id: UUID, path: Secret, role: Role, workspace: str, ports: Ports
) -> None:
    """Write to somebody who may come in now. `subject_id`: with whose data the mail is erased; `path` of the link. Raises as `send`."""
    letter = Invitation(
        role=role,
        link=f"{ports.pages_url}{path.reveal()}",
        expires_us=ports.clock.now_us() + INVITATION_VALID_US,
        zone="UTC",
        workspace=workspace,
    )
    mail = Mail(
        mail_id=ports.ids.new(),
        subject_id=subject_id,
        to=invited.email,
        locale=invited.locale,
        letter=letter,
        expires_us=letter.expires_us,
    )
    send(mail, outbox=ports.outbox, clock=ports.clock)
