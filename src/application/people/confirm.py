"""Confirming an address: whoever joined by a link has said what theirs is, and nobody has proved it yet."""

from uuid import UUID

from application.people.email import email_hash
from application.people.mailed import Mailed
from domain.invitations import BadInvitation


def ask(person_id: UUID, email: str, *, language: str, mailed: Mailed) -> None:
    """Mail a link to the address that a person has; nothing happens if it got enough mails lately."""
    if mailed.may_write_to(email_hash(mailed.hasher, email)):
        mailed.send_link("confirm", email, person_id=person_id, language=language)


def finish(secret: str, *, mailed: Mailed) -> None:
    """The address is theirs.

    Raises:
        BadInvitation: the link opens nothing, or the person has another address now.
    """
    used = mailed.use("confirm", secret)
    now_us = mailed.clock.now_us()
    if used.person_id is None or not mailed.people.people.confirm(
        used.person_id, email_hash=used.email_hash, now_us=now_us
    ):
        raise BadInvitation("this link opens nothing any more")
