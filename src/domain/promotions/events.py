"""Facts about codes that are redeemed for credit. Of a code only its keyed hash is kept: it names the code's stream."""

from typing import ClassVar
from uuid import UUID

from domain.event import Event
from domain.fact import Fact


class CodeBatchIssued(Fact, frozen=True, kw_only=True):
    """So many codes were made, each good for the same. They were shown once."""

    TOPIC: ClassVar[str] = "code-batch.issued.v1"

    batch_id: UUID
    count: int
    amount_nano: int  #: for each code
    per_account: int  #: how many of the batch one account may redeem
    redeem_until_us: int | None = None
    credit_days: int | None = None  #: how long the credit is good for, from its redemption; none: for ever
    aliases: tuple[str, ...] = ()  #: the models that the credit is for; none: all
    note: str = ""


class CodeBatchWithdrawn(Fact, frozen=True, kw_only=True):
    """No code of the batch can be redeemed any more. What was redeemed stays."""

    TOPIC: ClassVar[str] = "code-batch.withdrawn.v1"

    batch_id: UUID
    reason: str


class RedemptionCodeIssued(Fact, frozen=True, kw_only=True):
    """A code is of this batch; the first event of the stream that is named after the code's hash."""

    TOPIC: ClassVar[str] = "redemption-code.issued.v1"

    batch_id: UUID


class RedemptionCodeRedeemed(Fact, frozen=True, kw_only=True):
    """The code is used up; in one append with the credit that it was good for, and the account's count."""

    TOPIC: ClassVar[str] = "redemption-code.redeemed.v1"

    batch_id: UUID
    account_id: UUID
    lot_id: UUID


class RedemptionCounted(Fact, frozen=True, kw_only=True):
    """One more code of the batch for the account: the version in the stream of both says how many they are."""

    TOPIC: ClassVar[str] = "redemption-count.counted.v1"

    batch_id: UUID
    account_id: UUID
    lot_id: UUID


BatchEvent = CodeBatchIssued | CodeBatchWithdrawn
CodeEvent = RedemptionCodeIssued | RedemptionCodeRedeemed
PROMOTION_EVENTS: tuple[type[Event], ...] = (
    CodeBatchIssued,
    CodeBatchWithdrawn,
    RedemptionCodeIssued,
    RedemptionCodeRedeemed,
    RedemptionCounted,
)
