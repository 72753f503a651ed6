"""A page at the payment provider on which a customer leaves a way to pay for automatic recharges."""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.auto_recharge.stream import change_auto
from application.checkout.methods import MethodPage
from application.command import Command, Done, Ports, stamp
from domain.auto_recharge.ruling import open_page
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.order import BY_TRANSFER
from domain.refusal import BadField, WrongState

_PAGE_US: Final = 23 * 3600 * 1_000_000
"""A provider's page may live for a day, by the provider's clock."""
_BACK: Final = "/app/{account_id}/recharge"


class SaveMethod(Command, frozen=True, kw_only=True):
    """What is left on the page replaces the way to pay before. Nothing is paid there."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    provider: str


class MethodPageOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the customer. Coming back from there saves nothing; the provider says what was left."""

    url: str
    session_ref: str
    expires_us: int
    done: Done


def handle(command: SaveMethod, *, actor: Actor, ports: Ports) -> MethodPageOpened:
    """Open it.

    Raises:
        NotFound: there is no such account, or the provider is not set up.
        BadField: the provider keeps no ways to pay, or it is by transfer or on account.
        WrongState: the account is closed, or many pages are open.
        ProviderUnavailable, ProviderRefused: no page was opened, or one that nobody knows of.
    """
    if load_account(ports.store, command.account_id).status == "closed":
        raise WrongState("account", "closed")
    if command.provider in BY_TRANSFER:
        raise BadField(
            "provider", "is no payment provider: transfers are made by the customer, not by themselves"
        )
    methods = ports.checkouts.saving(command.provider)
    at = stamp(ports, actor)
    page = MethodPage(
        account_id=command.account_id,
        expires_us=at.now_us + _PAGE_US,
        idempotency_key=f"method/{ports.ids.new()}",
        back_url=ports.pages_url + _BACK.format(account_id=command.account_id),
    )
    session = methods.open_page(page)
    done = change_auto(
        ports.store,
        command.account_id,
        lambda auto: open_page(
            auto,
            account_id=command.account_id,
            provider=command.provider,
            mode=ports.checkouts.get(command.provider).mode,
            session_ref=session.session_ref,
            expires_us=session.expires_us,
            stamp=at,
        ),
    )
    return MethodPageOpened(
        url=session.url, session_ref=session.session_ref, expires_us=session.expires_us, done=done
    )
