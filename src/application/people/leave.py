"""Leaving for good: a person is a member of nothing any more, cannot sign in, and nobody can read their address.

In this order, so that what breaks off can be done again: memberships, the key of their personal data, what proved who they were.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Ports
from application.members import remove_member
from application.members.stream import load_members
from application.people.ports import PeoplePorts
from domain.fact import Actor
from domain.members import LastOwner, Members
from domain.operators import Staff
from domain.refusal import NotPermitted

_ONE: Final = 1


def erase_person(
    person_id: UUID, *, accounts: Iterable[UUID], staff: Staff, ports: Ports, people: PeoplePorts
) -> None:
    """Erase somebody who is signed in, at their own wish. Blocking.

    Raises:
        NotPermitted: operators are disabled by an admin, and not erased: who acted in the log must stay somebody.
        LastOwner: an account that is not closed would be left without an owner; nothing happened.
    """
    if person_id in staff.operators:
        raise NotPermitted("an admin: operators are disabled")
    left = [one for one in accounts if load_account(ports.store, one).status != "closed"]
    for account_id in left:
        _require_another_owner(load_members(ports.store, account_id), person_id)
    for account_id in left:
        command = remove_member.RemoveMember(account_id=account_id, person_id=person_id)
        remove_member.handle(command, actor=Actor("member", person_id), ports=ports)
    ports.personal.erase(person_id)
    people.people.delete(person_id)


def _require_another_owner(members: Members, person_id: UUID) -> None:
    member = members.members.get(person_id)
    owners = sum(1 for one in members.members.values() if one.role == "owner")
    if member is not None and member.role == "owner" and owners == _ONE:
        raise LastOwner("the last owner hands the account over, or closes it")
