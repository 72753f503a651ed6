"""Say whom to write to about an account."""

from typing import ClassVar
from uuid import UUID

from application.accounts.contact import checked_contact, seal_contact
from application.accounts.stream import decide_account, load_account
from application.command import Command, Done, Ports, stamp
from domain import accounts
from domain.fact import Actor
from domain.operators import Permission


class SetContact(Command, frozen=True, kw_only=True):
    """The contact of an account; it replaces the one before."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    contact_name: str
    email: str

    def __repr__(self) -> str:
        return f"SetContact({self.account_id})"


def handle(command: SetContact, *, actor: Actor, ports: Ports) -> Done:
    """Seal it, then record the envelope.

    Raises:
        BadField: the name or the address cannot be used.
        SubjectErased, VaultError: nothing was recorded; see `PersonalData.seal`.
        Others as `accounts.set_contact`.
    """
    contact = checked_contact(command.contact_name, command.email)
    account = accounts.not_closed(load_account(ports.store, command.account_id))
    pii = seal_contact(ports.personal, account, contact)
    at = stamp(ports, actor)
    return decide_account(
        ports.store, command.account_id, lambda found: accounts.set_contact(found, pii=pii, stamp=at)
    )
