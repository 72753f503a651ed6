"""A new password for who has forgotten the old one: by a link to their own address, which proves that it is theirs too.

One-time codes stay: a mailbox alone does not get past a second factor.
"""

from uuid import UUID

from application.people.address import forget_wishes
from application.people.email import checked_email, email_hash
from application.people.mailed import Mailed
from application.people.password import checked_password
from domain.invitations import BadInvitation
from domain.secret import Secret


def ask(email: str, *, language: str, mailed: Mailed) -> None:
    """Mail a link if there is such a person; whoever asks is told nothing of it.

    Raises:
        BadField: it is no address.
    """
    address = checked_email(email)
    address_hash = email_hash(mailed.hasher, address)
    if not mailed.may_write_to(address_hash):
        return
    person = mailed.people.people.by_email(address_hash)
    if person is not None:
        mailed.send_link("reset", address, person_id=person.person_id, language=person.locale or language)


def finish(secret: str, password: Secret, *, language: str, mailed: Mailed) -> UUID:
    """Set the password; wherever they were signed in, they are no more.

    Raises:
        BadInvitation: the link opens nothing, or the address is not theirs any more.
        BadField: the password cannot be used; the link can.
    """
    found = mailed.find("reset", secret)
    checked = checked_password(password.reveal(), email=found.email)
    password_hash = mailed.people.passwords.make(checked)
    used = mailed.use("reset", secret)
    now_us = mailed.clock.now_us()
    if used.person_id is None or not mailed.people.people.confirm(
        used.person_id, email_hash=used.email_hash, now_us=now_us
    ):
        raise BadInvitation("this link opens nothing any more")
    mailed.people.people.set_password(used.person_id, password_hash)
    forget_wishes(used.person_id, mailed=mailed)
    mailed.people.sessions.close_all(used.person_id)
    person = mailed.people.people.get(used.person_id)
    if person is not None:
        mailed.tell_changed(used.email, person, language=language)
    return used.person_id
