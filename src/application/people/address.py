"""Another mail address for somebody who is signed in: a link to the new one proves that it is theirs, and one to the old one takes it back.

Nothing changes until the link is followed, by the same person and while they are signed in: a mailbox alone gets nobody's account,
not even one that was named by mistake. Whoever asks is not told whether the address is another person's.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from application.command import Ports, stamp
from application.members.stream import decide_members
from application.operators.stream import decide_staff
from application.people.email import checked_email, email_hash, seal_email
from application.people.mailed import Mailed
from application.people.password import checked_password
from application.people.ports import MailedLink, Person, Purpose
from domain import members, operators
from domain.fact import Actor
from domain.invitations import BadInvitation
from domain.operators import Staff
from domain.privacy import Sealed
from domain.secret import Secret

#: What was mailed to an address, or asked for, before another one took its place.
_OF_THE_OLD: Final[tuple[Purpose, ...]] = ("reset", "confirm", "address")


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """A person, and where the log names their address. `email`: what it says it is; empty if nothing does."""

    person_id: UUID
    accounts: Iterable[UUID]
    staff: Staff
    email: str = ""


def ask(email: str, person: Person, *, language: str, mailed: Mailed) -> None:
    """Mail a link to the new address; if somebody else has it already, they are told so instead.

    Raises:
        BadField: it is no address.
    """
    address = checked_email(email)
    address_hash = email_hash(mailed.hasher, address)
    if not mailed.may_write_to(address_hash):
        return
    known = mailed.people.people.by_email(address_hash)
    if known is not None and known.person_id != person.person_id:
        mailed.tell_taken(address, known, language=language)
        return
    forget_wishes(person.person_id, mailed=mailed)
    mailed.send_link("address", address, person_id=person.person_id, language=person.locale or language)


def forget_wishes(person_id: UUID, *, mailed: Mailed) -> None:
    """Links to another address that somebody has asked for open nothing any more."""
    mailed.people.links.drop(person_id, ("address",))


def find(secret: str, person_id: UUID, *, mailed: Mailed) -> MailedLink:
    """Where a link of this person leads; it can still be used.

    Raises:
        BadInvitation: it opens nothing, or is somebody else's: it is not told which.
    """
    found = mailed.find("address", secret)
    if found.person_id != person_id:
        raise BadInvitation("this link opens nothing any more")
    return found


def finish(secret: str, whose: Whose, *, language: str, ports: Ports, mailed: Mailed) -> None:
    """From now on they sign in with the new address, and are written to there. Passwords, codes and passkeys stay.

    The link is used up first. Should the rest break off, another one does it.

    Raises:
        BadInvitation: as `find`.
        AlreadyExists: somebody else has come to have the address meanwhile; nothing changed.
    """
    find(secret, whose.person_id, mailed=mailed)
    used = mailed.use("address", secret)
    before = _move(whose, used, ports=ports, mailed=mailed)
    person = mailed.people.people.get(whose.person_id)
    # What the log says may be older than what they signed in with: a way back leads to the right address, or nowhere.
    if before is not None and person is not None and before == email_hash(mailed.hasher, whose.email):
        mailed.send_way_back(whose.email, person, language=language)
    _record(whose, used.email, ports=ports)


def take_back(
    secret: str, password: Secret, whose: Whose, *, language: str, ports: Ports, mailed: Mailed
) -> None:
    """It was not them: their address is the old one again, with a new password, and wherever somebody was signed in, they are no more.

    Ways back that are younger than this one are dead too: they lead to what a stranger has named.

    Raises:
        BadInvitation: the link opens nothing.
        BadField: the password cannot be used; the link can.
        AlreadyExists: somebody else has the address now; nothing changed.
    """
    found = mailed.find("take-back", secret)
    password_hash = mailed.people.passwords.make(checked_password(password.reveal(), email=found.email))
    used = mailed.use("take-back", secret)
    _move(whose, used, ports=ports, mailed=mailed)
    mailed.people.links.drop(whose.person_id, ("take-back",), from_us=used.expires_us)
    mailed.people.people.set_password(whose.person_id, password_hash)
    mailed.people.sessions.close_all(whose.person_id)
    _record(whose, used.email, ports=ports)
    person = mailed.people.people.get(whose.person_id)
    if person is not None:
        mailed.tell_changed(used.email, person, language=language)


def _move(whose: Whose, link: MailedLink, *, ports: Ports, mailed: Mailed) -> bytes | None:
    """What they sign in with; the hash of the address before, if that may be written to."""
    before = mailed.people.people.move(
        whose.person_id, email_hash=link.email_hash, now_us=ports.clock.now_us()
    )
    mailed.people.links.drop(whose.person_id, _OF_THE_OLD)
    return None if before == link.email_hash else before


def _record(whose: Whose, email: str, *, ports: Ports) -> None:
    """In each stream that names the person."""
    pii = seal_email(ports.personal, whose.person_id, email)
    if whose.person_id in whose.staff.operators:
        _record_operator(whose.person_id, pii, ports)
    for account_id in whose.accounts:
        _record_member(account_id, whose.person_id, pii, ports)


def _record_operator(operator_id: UUID, pii: Sealed, ports: Ports) -> None:
    at = stamp(ports, Actor("operator", operator_id))
    decide_staff(
        ports.store,
        lambda staff: operators.change_address(staff, operator_id=operator_id, pii=pii, stamp=at),
    )


def _record_member(account_id: UUID, person_id: UUID, pii: Sealed, ports: Ports) -> None:
    at = stamp(ports, Actor("member", person_id))
    decide_members(
        ports.store,
        account_id,
        lambda state: members.change_address(
            state, account_id=account_id, person_id=person_id, pii=pii, stamp=at
        ),
    )
