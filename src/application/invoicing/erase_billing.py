"""Erase the buyer of an account's documents, when no law wants them kept any longer."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, execute, stamp
from domain.fact import Actor
from domain.invoicing import billing
from domain.invoicing.billing import Billing, billing_stream, buyer_subject
from domain.operators import Permission
from domain.text import REASON_CHARS_MAX, printable


class EraseBilling(Command, frozen=True, kw_only=True):
    """Destroy the buyer's key. Documents and their kept files show nobody any more; it cannot be undone."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    reason: str


def handle(command: EraseBilling, *, actor: Actor, ports: Ports) -> Done:
    """Erase, then record it; doing it again destroys what a restored backup has brought back.

    Raises:
        NotFound: there is no such account.
        BadField: the reason is empty or cannot be shown.
        VaultUnavailable, LogUnavailable: it may be erased and not recorded: command it again.
    """
    printable(command.reason, field="reason", chars_max=REASON_CHARS_MAX)
    load_account(ports.store, command.account_id)
    key_id = ports.personal.erase(buyer_subject(command.account_id))
    at = stamp(ports, actor)
    return execute(
        ports.store,
        billing_stream(command.account_id),
        Billing(),
        billing.evolve,
        lambda found: billing.note_erasure(
            found, account_id=command.account_id, key_id=key_id, reason=command.reason, stamp=at
        ),
    )
