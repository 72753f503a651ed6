"""Following a link: an operator, or a new member, says who they are and chooses a password.

The link is used up first. Should the rest break off, another link does it.
"""

from uuid import UUID

import msgspec

from application.command import Ports, load, stamp
from application.members.stream import decide_members, load_members
from application.operators.stream import decide_staff
from application.people.email import checked_email, email_hash, seal_email
from application.people.language import keep_language
from application.people.links import hash_of
from application.people.password import checked_password
from application.people.ports import PeoplePorts
from domain import members, operators
from domain.fact import Actor
from domain.members import MemberRole
from domain.operators import OPERATORS_STREAM, Operator, Staff
from domain.refusal import AlreadyExists
from domain.secret import Secret


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """What a newcomer writes."""

    email: str
    password: Secret
    language: str | None = None  #: of the page on which they write it


def invited_operator(secret: str, *, ports: Ports) -> UUID:
    """Whose link it is; raises `BadInvitation`."""
    return _invited(secret, ports).operator_id


def _invited(secret: str, ports: Ports) -> Operator:
    staff = load(ports.store, OPERATORS_STREAM, Staff(), operators.evolve)
    return operators.invited_by_link(staff, hash_of(ports, secret), now_us=ports.clock.now_us())


def join_as_operator(secret: str, who: Who, *, ports: Ports, people: PeoplePorts) -> UUID:
    """Set address and password of the operator whose link it is; where they were signed in, they are no more.

    Raises:
        BadInvitation: the link opens nothing.
        BadField: the address or the password cannot be used; the link can.
        AlreadyExists: the address is somebody else's; the link can still be used.
    """
    invited = _invited(secret, ports)
    operator_id = invited.operator_id
    address_hash, password_hash = _proofs(who, person_id=operator_id, ports=ports, people=people)
    pii = seal_email(ports.personal, operator_id, checked_email(who.email))
    at = stamp(ports, Actor("operator", operator_id))
    decide_staff(
        ports.store,
        lambda staff: operators.join(staff, secret_hash=hash_of(ports, secret), pii=pii, stamp=at),
    )
    people.people.put(operator_id, email_hash=address_hash, password_hash=password_hash)
    if invited.invitation is not None and invited.invitation.ends_second_factor:
        people.people.set_totp(operator_id, None)
    people.links.drop(operator_id, ("reset", "confirm", "address", "take-back"))
    keep_language(people.people, operator_id, who.language)
    people.sessions.close_all(operator_id)
    return operator_id


def invited_role(account_id: UUID, secret: str, *, ports: Ports) -> MemberRole:
    """What a link makes of who follows it; raises `BadInvitation`."""
    state = load_members(ports.store, account_id)
    return members.invitation_of(state, hash_of(ports, secret), now_us=ports.clock.now_us()).role


def join_as_somebody_new(
    account_id: UUID, secret: str, who: Who, *, ports: Ports, people: PeoplePorts
) -> UUID:
    """Become a member with a password of one's own.

    Raises:
        BadInvitation, BadField: as `join_as_operator`.
        AlreadyExists: there is somebody with this address: they sign in and follow the link then.
    """
    invited_role(account_id, secret, ports=ports)
    person_id = ports.ids.new()
    address_hash, password_hash = _proofs(who, person_id=person_id, ports=ports, people=people)
    email = checked_email(who.email)
    _join(account_id, secret, person_id=person_id, email=email, ports=ports)
    people.people.put(person_id, email_hash=address_hash, password_hash=password_hash)
    keep_language(people.people, person_id, who.language)
    return person_id


def join_as_oneself(account_id: UUID, secret: str, *, person_id: UUID, email: str, ports: Ports) -> None:
    """Become a member as somebody who is signed in; raises as `members.join`."""
    _join(account_id, secret, person_id=person_id, email=email, ports=ports)


def _join(account_id: UUID, secret: str, *, person_id: UUID, email: str, ports: Ports) -> None:
    pii = seal_email(ports.personal, person_id, email)
    at = stamp(ports, Actor("member", person_id))
    decide_members(
        ports.store,
        account_id,
        lambda state: members.join(
            state,
            account_id=account_id,
            secret_hash=hash_of(ports, secret),
            person_id=person_id,
            pii=pii,
            stamp=at,
        ),
    )


def _proofs(who: Who, *, person_id: UUID, ports: Ports, people: PeoplePorts) -> tuple[bytes, str]:
    """The hashes of address and password."""
    address = checked_email(who.email)
    password = checked_password(who.password.reveal(), email=address)
    address_hash = email_hash(ports.hasher, address)
    known = people.people.by_email(address_hash)
    if known is not None and known.person_id != person_id:
        raise AlreadyExists("person", "with this address")
    return address_hash, people.passwords.make(password)
