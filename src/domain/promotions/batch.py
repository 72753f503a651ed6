"""A batch of codes, one code of it, and what has to be true for a code to become credit."""

from collections.abc import Sequence
from typing import ClassVar, Final, assert_never
from uuid import UUID

import msgspec

from domain.fact import Stamp
from domain.ids import stream_of
from domain.ledger.credit import ALIASES_MAX, LotConditions, grant_credit
from domain.ledger.events import AMOUNT_NANO_MAX, WalletEvent
from domain.ledger.wallet import Wallet
from domain.promotions.codes import BadCode
from domain.promotions.events import (
    BatchEvent,
    CodeBatchIssued,
    CodeBatchWithdrawn,
    CodeEvent,
    RedemptionCodeIssued,
    RedemptionCodeRedeemed,
    RedemptionCounted,
)
from domain.refusal import AlreadyExists, BadField, NotFound, Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable

CODES_MAX: Final = 1_000
DAYS_MAX: Final = 3_660
_DAY_US: Final = 86_400 * 1_000_000
_CODES: Final = UUID("3f3c9f1c-6a2d-5a51-9d0e-51f6d2f0a7c4")


class CodeUsed(Refusal):
    """The code was redeemed before, by whomever; it is credited once."""

    code: ClassVar[str] = "code_already_redeemed"


class CodeLimit(Refusal):
    """The account has redeemed as many codes of this batch as one account may; the code stays good for others."""

    code: ClassVar[str] = "code_limit_reached"

    def __init__(self, per_account: int) -> None:
        super().__init__(f"an account may redeem {per_account} of these codes")
        self.per_account = per_account


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a batch's stream."""

    issued: CodeBatchIssued
    withdrawn: bool = False


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a code's stream."""

    batch_id: UUID
    redeemed: RedemptionCodeRedeemed | None = None


def batch_stream(batch_id: UUID) -> UUID:
    return stream_of(batch_id, "code-batch")


def code_stream(code_hash: str) -> UUID:
    """The stream of a code. Whoever reads the log cannot tell a code from it."""
    return stream_of(_CODES, code_hash)


def count_stream(batch_id: UUID, account_id: UUID) -> UUID:
    """The stream that counts what an account has redeemed of a batch."""
    return stream_of(batch_id, f"redemptions/{account_id}")


def lot_of(code_hash: str) -> UUID:
    """The lot that a code becomes: there is one."""
    return stream_of(code_stream(code_hash), "lot")


def evolve(batch: Batch | None, event: BatchEvent) -> Batch:
    """The batch after one more fact."""
    match event:
        case CodeBatchIssued():
            return Batch(issued=event)
        case CodeBatchWithdrawn():
            assert batch is not None, "a batch's stream starts with CodeBatchIssued"
            return msgspec.structs.replace(batch, withdrawn=True)
        case _:
            assert_never(event)


def evolve_code(code: Code | None, event: CodeEvent) -> Code:
    """The code after one more fact."""
    match event:
        case RedemptionCodeIssued():
            return Code(batch_id=event.batch_id)
        case RedemptionCodeRedeemed():
            assert code is not None, "a code's stream starts with RedemptionCodeIssued"
            return msgspec.structs.replace(code, redeemed=event)
        case _:
            assert_never(event)


def issue(batch: Batch | None, *, wanted: CodeBatchIssued, stamp: Stamp) -> list[BatchEvent]:
    """Make a batch as `wanted`.

    Raises:
        AlreadyExists: the id is in use.
        BadField: a number or a model cannot be meant.
    """
    if batch is not None:
        raise AlreadyExists("batch of codes", wanted.batch_id)
    if not 1 <= wanted.count <= CODES_MAX:
        raise BadField("count", f"must be 1 to {CODES_MAX}")
    if not 0 < wanted.amount_nano <= AMOUNT_NANO_MAX // CODES_MAX:
        raise BadField("amount_nano", "must be positive, and a thousand of it must fit into 64 bits")
    if not 1 <= wanted.per_account <= CODES_MAX:
        raise BadField("per_account", f"must be 1 to {CODES_MAX}")
    if wanted.redeem_until_us is not None and not stamp.now_us < wanted.redeem_until_us < 2**63:
        raise BadField("redeem_until_us", "has passed")
    if wanted.credit_days is not None and not 1 <= wanted.credit_days <= DAYS_MAX:
        raise BadField("credit_days", f"must be 1 to {DAYS_MAX}")
    if len(wanted.aliases) > ALIASES_MAX or not all(wanted.aliases):
        raise BadField("aliases", f"must be at most {ALIASES_MAX} names of models, none of them empty")
    note = printable(wanted.note, field="note", chars_max=REASON_CHARS_MAX)
    return [msgspec.structs.replace(wanted, note=note, occurred_us=stamp.now_us, actor=stamp.actor)]


def withdraw(batch: Batch | None, *, reason: str, stamp: Stamp) -> list[BatchEvent]:
    """Let no code be redeemed any more; doing it twice does nothing.

    Raises:
        NotFound: there is no such batch.
        BadField: the reason is empty or cannot be shown.
    """
    batch = existing(batch)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if batch.withdrawn:
        return []
    return [
        CodeBatchWithdrawn(
            batch_id=batch.issued.batch_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def redeem(
    code: Code | None,
    batch: Batch,
    *,
    redeemed_before: int,
    account_id: UUID,
    lot_id: UUID,
    stamp: Stamp,
) -> tuple[RedemptionCodeRedeemed, RedemptionCounted]:
    """Use a code up. `redeemed_before` is how many codes of its batch the account has redeemed.

    Raises:
        BadCode: there is no such code.
        CodeUsed, CodeLimit: see there.
        WrongState: its batch was withdrawn, or its time is over.
    """
    if code is None:
        raise BadCode("there is no such code")
    issued = batch.issued
    if code.redeemed is not None:
        raise CodeUsed("this code was redeemed before")
    if batch.withdrawn:
        raise WrongState("code", "withdrawn")
    if issued.redeem_until_us is not None and stamp.now_us >= issued.redeem_until_us:
        raise WrongState("code", "over")
    if redeemed_before >= issued.per_account:
        raise CodeLimit(issued.per_account)
    return (
        RedemptionCodeRedeemed(
            batch_id=issued.batch_id,
            account_id=account_id,
            lot_id=lot_id,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        ),
        RedemptionCounted(
            batch_id=issued.batch_id,
            account_id=account_id,
            lot_id=lot_id,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        ),
    )


def credit_of(
    batch: Batch, wallet: Wallet, *, account_id: UUID, lot_id: UUID, stamp: Stamp
) -> list[WalletEvent]:
    """The lot that a code becomes, and what a debt takes of it; raises as `credit.grant_credit`."""
    issued = batch.issued
    days = issued.credit_days
    return grant_credit(
        wallet,
        account_id=account_id,
        lot_id=lot_id,
        amount_nano=issued.amount_nano,
        source="promo",
        reason=f"code of batch {issued.batch_id}",
        granted_by=stamp.actor,
        now_us=stamp.now_us,
        conditions=LotConditions(
            expires_us=None if days is None else stamp.now_us + days * _DAY_US, aliases=issued.aliases
        ),
    )


def existing(batch: Batch | None) -> Batch:
    """The batch, or `NotFound`."""
    if batch is None:
        raise NotFound("batch of codes")
    return batch


def codes_of(batch_id: UUID, *, count: int, stamp: Stamp) -> Sequence[RedemptionCodeIssued]:
    """The first facts of the codes' streams."""
    fact = RedemptionCodeIssued(batch_id=batch_id, occurred_us=stamp.now_us, actor=stamp.actor)
    return [fact] * count
