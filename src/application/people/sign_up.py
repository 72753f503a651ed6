"""Signing up: an address gets a link, and whoever follows it opens an account and owns it.

Until then nothing is kept but the link: no person, no account, nothing in the log.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.command import Ports, append_decided, new_event, stamp
from application.eventlog import NewEvent
from application.people.email import checked_email, email_hash, seal_email
from application.people.language import keep_language
from application.people.links import hash_of, new_secret
from application.people.mailed import Mailed
from application.people.password import checked_password
from domain import accounts, members
from domain.event import Event
from domain.fact import SYSTEM, Actor
from domain.members import NO_MEMBERS, members_stream
from domain.privacy import Sealed
from domain.refusal import AlreadyExists
from domain.secret import Secret
from domain.text import printable


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What a newcomer writes after following the link."""

    name: str
    password: Secret
    language: str | None = None  #: of the page on which they write it


class Opened(msgspec.Struct, frozen=True):
    """An account and its owner."""

    account_id: UUID
    person_id: UUID


def ask(email: str, *, language: str, mailed: Mailed) -> None:
    """Mail a link; to somebody who is known already the news that they are, so that nobody else learns it.

    Raises:
        BadField: it is no address.
    """
    address = checked_email(email)
    address_hash = email_hash(mailed.hasher, address)
    if not mailed.may_write_to(address_hash):
        return
    person = mailed.people.people.by_email(address_hash)
    if person is not None:
        mailed.tell_known(address, person, language=language)
        return
    mailed.send_link("sign-up", address, person_id=None, language=language)


def finish(secret: str, new: NewAccount, *, ports: Ports, mailed: Mailed) -> Opened:
    """Open the account of whose address the link proves, with them as its owner.

    The link is used up first. Should the rest break off, another one does it.

    Raises:
        BadInvitation: the link opens nothing.
        BadField: name or password cannot be used; the link can.
        AlreadyExists: somebody with this address has come by another way meanwhile.
    """
    found = mailed.find("sign-up", secret)
    name = printable(new.name, field="name")
    password = checked_password(new.password.reveal(), email=found.email)
    if mailed.people.people.by_email(found.email_hash) is not None:
        raise AlreadyExists("person", "with this address")
    password_hash = mailed.people.passwords.make(password)
    mailed.use("sign-up", secret)
    opened = open_for(ports.ids.new(), name=name, email=found.email, ports=ports)
    mailed.people.people.put(opened.person_id, email_hash=found.email_hash, password_hash=password_hash)
    mailed.people.people.confirm(opened.person_id, email_hash=found.email_hash, now_us=ports.clock.now_us())
    keep_language(mailed.people.people, opened.person_id, new.language)
    return opened


def open_for(person_id: UUID, *, name: str, email: str, ports: Ports) -> Opened:
    """An account with a person as its owner: all of it, or nothing.

    Raises:
        BadField: the name cannot be used.
    """
    name = printable(name, field="name")
    account_id, at = ports.ids.new(), stamp(ports, Actor("member", person_id))
    pii = seal_email(ports.personal, person_id, email)
    opened = accounts.open_account(None, account_id=account_id, stamp=at)
    owners = _owner(account_id, person_id=person_id, pii=pii, ports=ports)
    append_decided(
        ports.store,
        lambda: [
            *_numbered(account_id, opened),
            *_numbered(members_stream(account_id), owners),
        ],
    )
    ports.names.put(account_id, name)
    return Opened(account_id, person_id)


def _numbered(stream_id: UUID, events: Sequence[Event]) -> list[NewEvent]:
    return [new_event(stream_id, number, event) for number, event in enumerate(events, 1)]


def _owner(account_id: UUID, *, person_id: UUID, pii: Sealed, ports: Ports) -> list[members.MemberEvent]:
    """The system invites, the person joins: the same two facts as for every other owner."""
    secret_hash = hash_of(ports, new_secret(ports))
    invited = members.invite(
        NO_MEMBERS,
        account_id=account_id,
        invitation_id=ports.ids.new(),
        role="owner",
        secret_hash=secret_hash,
        by=SYSTEM,
        stamp=stamp(ports, SYSTEM),
    )
    state = NO_MEMBERS
    for event in invited:
        state = members.evolve(state, event)
    joined = members.join(
        state,
        account_id=account_id,
        secret_hash=secret_hash,
        person_id=person_id,
        pii=pii,
        stamp=stamp(ports, Actor("member", person_id)),
    )
    return [*invited, *joined]
