"""What all parts of the model share: the log, one account, its requests as their clients saw them, ids and time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, cast
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.event import Event
from domain.ids import stream_of
from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.events import LeaseEvent, Owner, WalletEvent
from domain.ledger.lease import Lease
from domain.ledger.wallet import Wallet
from tests.model.store import Log
from tests.model.switches import Switches

if TYPE_CHECKING:
    from tests.model.gateway import Gateway

ACCOUNT = UUID(int=1)
KEY = UUID(int=2)
WALLET = stream_of(ACCOUNT, "wallet")
ALIAS = "gpt-4o"
ALIASES = (ALIAS, "o3")
EPOCH_US = (
    1_000_000  #: time passes in such steps, and lots begin and end at them; far more ticks than a step makes
)


class Violation(AssertionError):
    """A property does not hold. The first argument is its name in the list of invariants."""


def require(name: str, holds: bool, detail: object) -> None:
    if not holds:
        raise Violation(name, detail)


class Request(msgspec.Struct, eq=False):
    """One request: what its client asked for, and what it saw. A crash tells the client nothing."""

    request_id: UUID
    hold_nano: int
    alias: str = ALIAS
    size_nano: int = 0  #: how much its gateway would like to borrow
    micro: bool = False
    joint: bool = False  #: whether both sides of a top-up go into one append, or one after the other
    lease_id: UUID = UUID(int=0)
    first_byte: bool = False
    rated_nano: int | None = None  #: set once the upstream has answered
    told: Literal["", "completed", "failed", "refused"] = ""


class World:
    """One account's ledger and everybody who works on it."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.rules = switches.deciders
        self.log = Log(switches)
        self.gateways: list[Gateway] = []
        self.requests: dict[UUID, Request] = {}
        self.seen: dict[str, int] = {}  #: how often each situation arose
        self._wallet = Wallet()
        self._ids = 1 << 64
        self._now_us = 1_760_000_000_000_000  #: a whole number of epochs

    def new_id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def now_us(self) -> int:
        """The time of one more decision."""
        self._now_us += 1
        return self._now_us

    @property
    def at_us(self) -> int:
        """The time, without a decision."""
        return self._now_us

    def epoch_us(self, ahead: int) -> int:
        """The beginning of an epoch; 0 is the present one."""
        return (self._now_us // EPOCH_US + ahead) * EPOCH_US

    def pass_time(self) -> None:
        self._now_us = self.epoch_us(1)

    def note(self, situation: str) -> None:
        self.seen[situation] = self.seen.get(situation, 0) + 1

    def wallet(self) -> Wallet:
        """The wallet as stored, for the caller to fold on."""
        for stored in self.log.read_stream(WALLET, after_version=self._wallet.version):
            fold_wallet(self._wallet, stored.event)
        return copy_wallet(self._wallet)

    def lease(self, lease_id: UUID) -> Lease:
        """The lease as stored."""
        lease = Lease(lease_id)
        for stored in self.log.read_stream(lease_id):
            fold_lease(lease, stored.event)
        return lease

    def awake(self) -> Iterator["Gateway"]:
        return (gateway for gateway in self.gateways if not gateway.frozen)

    def recallable_nano(self, alias: str) -> int:
        """What lies idle for a model, as stored, in the leases of owners that can be asked."""
        owners: set[Owner | None] = {gateway.owner for gateway in self.awake()}
        leases = [self.lease(lease_id) for lease_id in self.wallet().leases]
        return sum(lease.free_for_nano(alias, self.at_us) for lease in leases if lease.owner in owners)

    def check_refusal(self, request: Request) -> None:
        """P27: a request is refused only when what is free here and idle elsewhere does not cover it, or there is a debt."""
        if self.wallet().owed_nano:
            self.note("refused for a debt")
            return
        available_nano = self.wallet().available_for_nano(request.alias, self.at_us)
        free_nano = available_nano + self.recallable_nano(request.alias)
        if free_nano >= request.hold_nano:
            raise Violation("P27", f"refused {request.hold_nano} with {free_nano} free or recallable")


def copy_wallet(wallet: Wallet) -> Wallet:
    leases = {
        lease_id: replace(lease, slices=list(lease.slices)) for lease_id, lease in wallet.leases.items()
    }
    return replace(
        wallet,
        lots=dict(wallet.lots),
        terms=dict(wallet.terms),
        limited=list(wallet.limited),
        over=set(wallet.over),
        voided=set(wallet.voided),
        leases=leases,
        claims={claim_id: replace(claim) for claim_id, claim in wallet.claims.items()},
        gone=dict(wallet.gone),
    )


def fold_wallet(wallet: Wallet, event: Event) -> None:
    """Fold, or say that the log cannot be folded."""
    try:
        wallet_rules.evolve(wallet, cast("WalletEvent", event))
    except (KeyError, IndexError, ValueError) as error:
        raise Violation("fold", f"wallet: {event}") from error


def fold_lease(lease: Lease, event: Event) -> None:
    """Fold, or say that the log cannot be folded."""
    try:
        lease_rules.evolve(lease, cast("LeaseEvent", event))
    except (KeyError, IndexError) as error:
        raise Violation("fold", f"lease: {event}") from error
