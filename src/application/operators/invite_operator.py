"""Let an operator into the console: a link with which they set a password, for the first time or anew."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.i18n.locales import SOURCE, Locale
from application.mail.invitations import Invited, check_invited, mail_invitation
from application.operators.stream import decide_staff
from application.people.links import Link, hash_of, new_secret
from domain import operators
from domain.fact import Actor
from domain.operators import Permission
from domain.secret import Secret


class InviteOperator(Command, frozen=True, kw_only=True):
    """A link for an operator; an earlier one opens nothing any more."""

    permission: ClassVar[Permission] = "operators"

    operator_id: UUID
    email: str | None = None  #: who gets the link by mail; nobody if left out
    locale: Locale = SOURCE
    ends_second_factor: bool = False  #: they have lost their authenticator, and recovery codes too

    def __repr__(self) -> str:
        return f"InviteOperator(operator_id={self.operator_id})"


def handle(command: InviteOperator, *, actor: Actor, ports: Ports) -> Link:
    """Make the link and show it, once; and mail it, if there is an address. Raises as `operators.invite` and `check_invited`."""
    invited = None if command.email is None else Invited(email=command.email, locale=command.locale)
    if invited is not None:
        check_invited(invited, inviter_id=command.operator_id, ports=ports)
    secret, at = new_secret(ports), stamp(ports, actor)
    done = decide_staff(
        ports.store,
        lambda staff: operators.invite(
            staff,
            operator_id=command.operator_id,
            secret_hash=hash_of(ports, secret),
            by=actor,
            stamp=at,
            ends_second_factor=command.ends_second_factor,
        ),
    )
    link = Secret(f"/join/{secret}")
    if invited is not None:
        mail_invitation(
            invited, subject_id=command.operator_id, path=link, role="operator", workspace="", ports=ports
        )
    return Link(invitation_id=command.operator_id, link=link, is_mailed=invited is not None, done=done)
