"""Facts of a wallet about credit whose payment goes back: it is set aside, taken, or owed. ADR 65.

A *claim* is a refund or a dispute that wants credit of one lot; its id follows from the refund's or the dispute's. What of
the lot is in the wallet is frozen for it, so that nobody can spend it. What was spent already when the money is gone is
owed: a receivable, the only debt that there is. Amounts are integer nano-credits and never negative.
"""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from domain.event import Event
from domain.ledger.lots import LotSource, Slice

ClaimCause = Literal["refund", "dispute"]


class CreditFrozen(Event, frozen=True, kw_only=True):
    """Credit of a lot was set aside for a claim; with more than one of them, so much more. It may be nothing yet."""

    TOPIC: ClassVar[str] = "wallet.credit-frozen.v1"

    account_id: UUID
    lot_id: UUID
    claim_id: UUID
    cause: ClaimCause
    wanted_nano: int  #: in all; a dispute takes it as it comes back from leases
    amount_nano: int
    occurred_us: int


class CreditUnfrozen(Event, frozen=True, kw_only=True):
    """What was frozen is the customer's again, or goes to a claim that comes first. What is of a lot that is over is gone."""

    TOPIC: ClassVar[str] = "wallet.credit-unfrozen.v1"

    account_id: UUID
    lot_id: UUID
    claim_id: UUID
    source: LotSource  #: of the lot
    amount_nano: int  #: what is available again
    ends: bool  #: the claim wants nothing more
    occurred_us: int
    expired_nano: int | msgspec.UnsetType = msgspec.UNSET  #: of a lot whose time is over: it is gone
    voided_nano: int | msgspec.UnsetType = msgspec.UNSET  #: of a lot taken back: it is gone


class FrozenCreditTaken(Event, frozen=True, kw_only=True):
    """The money has gone back: so has what was frozen, and the claim ends. What was spent of it is owed from now on."""

    TOPIC: ClassVar[str] = "wallet.frozen-credit-taken.v1"

    account_id: UUID
    lot_id: UUID
    claim_id: UUID
    source: LotSource  #: of the lot: the account in the books that it goes back to
    wanted_nano: int  #: more than the two below where the lot was over and the rest gone before
    amount_nano: int
    owed_nano: int
    occurred_us: int


class TakenCreditRestored(Event, frozen=True, kw_only=True):
    """A refund came to nothing after all: what it took, and what was owed for it, is back in its lot."""

    TOPIC: ClassVar[str] = "wallet.taken-credit-restored.v1"

    account_id: UUID
    lot_id: UUID
    claim_id: UUID
    source: LotSource
    amount_nano: int
    occurred_us: int


class ReceivableSettled(Event, frozen=True, kw_only=True):
    """Credit that the account has, or was just given, paid what it owes, or some of it."""

    TOPIC: ClassVar[str] = "wallet.receivable-settled.v1"

    account_id: UUID
    slices: tuple[Slice, ...]  #: of which lots
    amount_nano: int
    occurred_us: int


class ReceivableWrittenOff(Event, frozen=True, kw_only=True):
    """Two operators gave up what an account owes, or some of it: it is the operator's loss."""

    TOPIC: ClassVar[str] = "wallet.receivable-written-off.v1"

    account_id: UUID
    adjustment_id: UUID
    amount_nano: int
    reason: str
    requested_by: str
    occurred_us: int
    approved_by: str | msgspec.UnsetType = msgspec.UNSET


ClaimEvent = (
    CreditFrozen
    | CreditUnfrozen
    | FrozenCreditTaken
    | TakenCreditRestored
    | ReceivableSettled
    | ReceivableWrittenOff
)
CLAIM_EVENTS: tuple[type[Event], ...] = (
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    TakenCreditRestored,
    ReceivableSettled,
    ReceivableWrittenOff,
)
