"""Give a customer credit to try with, once."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, append_decided, new_event, stamp
from application.eventlog import NewEvent
from application.ledger.wallet_reader import load_wallet, wallet_stream
from application.members.stream import load_members
from application.people.email import open_email
from domain.fact import Actor, Stamp
from domain.operators import Permission
from domain.promotions import demo
from domain.promotions.demo import DemoClaimed, address_stream, demo_stream, person_stream, plain_address
from domain.refusal import WrongState


class StartDemo(Command, frozen=True, kw_only=True):
    """Promotional credit that ends after `days`, for some models only if any is named."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    amount_nano: int
    days: int
    models: tuple[str, ...] = ()


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The credit, and when it ends."""

    lot_id: UUID
    expires_us: int
    done: Done


def handle(command: StartDemo, *, actor: Actor, ports: Ports) -> Started:
    """Start it.

    Raises:
        NotFound, WrongState: there is no such account, or it is not open.
        DemoUsed: the account, or one of its owners by another account, has had one; nothing was granted.
        VaultError: an owner's address cannot be read now.
        Others as `demo.start`.
    """
    account = load_account(ports.store, command.account_id)
    if account.status != "open":
        raise WrongState("account", account.status)
    at = stamp(ports, actor)
    claims = _claims(command.account_id, at, ports)
    started: demo.DemoStarted | None = None
    version = 0

    def decide() -> list[NewEvent]:
        nonlocal started, version
        store, account_id = ports.store, command.account_id
        places = (demo_stream(account_id), *(one.stream_id for one in claims))
        wallet = load_wallet(store, account_id).wallet
        started, granted = demo.start(
            wallet,
            account_id=account_id,
            amount_nano=command.amount_nano,
            days=command.days,
            models=command.models,
            used=any(store.read_stream(one) for one in places),
            stamp=at,
        )
        version = wallet.version + 1
        return [
            new_event(demo_stream(account_id), 1, started),
            *claims,
            *(
                new_event(wallet_stream(account_id), number, one)
                for number, one in enumerate(granted, version)
            ),
        ]

    position = append_decided(ports.store, decide)
    assert started is not None  # it was stored
    return Started(
        lot_id=started.lot_id,
        expires_us=started.expires_us,
        done=Done(version=version, position=position, events=(started,)),
    )


def _claims(account_id: UUID, at: Stamp, ports: Ports) -> list[NewEvent]:
    """One for each owner, and one for each address of one; whoever owns two accounts, or comes again with one address, gets one demo."""
    fact = DemoClaimed(account_id=account_id, occurred_us=at.now_us, actor=at.actor)
    owners = [one for one in load_members(ports.store, account_id).members.values() if one.role == "owner"]
    emails = [open_email(ports.personal, one.person_id, one.pii) for one in owners]
    hashes = {
        ports.hasher.digest(b"demo\0" + plain_address(email).encode())
        for email in emails
        if email is not None
    }
    streams = [*(person_stream(one.person_id) for one in owners), *map(address_stream, sorted(hashes))]
    return [new_event(one, 1, fact) for one in streams]
