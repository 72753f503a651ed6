"""Support looks into a customer's workspace: with a reason, for an hour, without changing anything, and known to the customer.

One stream for each account.
"""

from typing import ClassVar, Final, assert_never
from uuid import UUID

import msgspec

from domain.fact import Actor, Fact, Stamp
from domain.ids import stream_of
from domain.refusal import NotPermitted
from domain.text import REASON_CHARS_MAX, printable

ACCESS_VALID_US: Final = 3600 * 1_000_000


class SupportAccessBegun(Fact, frozen=True, kw_only=True):
    """An operator may look at the customer's pages until then."""

    TOPIC: ClassVar[str] = "support.access-begun.v1"

    account_id: UUID
    access_id: UUID
    operator_id: UUID
    reason: str
    expires_us: int


class SupportAccessEnded(Fact, frozen=True, kw_only=True):
    """The operator has left before the time was over."""

    TOPIC: ClassVar[str] = "support.access-ended.v1"

    account_id: UUID
    access_id: UUID
    operator_id: UUID


SupportEvent = SupportAccessBegun | SupportAccessEnded
SUPPORT_EVENTS: tuple[type[Fact], ...] = (SupportAccessBegun, SupportAccessEnded)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One operator's look into one account."""

    access_id: UUID
    operator_id: UUID
    reason: str
    begun_us: int
    expires_us: int


class Support(msgspec.Struct, frozen=True):
    """The fold: by operator, the access that they have not left. Whether it is over, the clock says."""

    accesses: dict[UUID, Access] = {}

    def open_of(self, operator_id: UUID, *, now_us: int) -> Access | None:
        access = self.accesses.get(operator_id)
        return access if access is not None and now_us < access.expires_us else None


NO_SUPPORT: Final = Support()


def support_stream(account_id: UUID) -> UUID:
    """The stream of looks into an account."""
    return stream_of(account_id, "support")


def evolve(support: Support, event: SupportEvent) -> Support:
    """The accesses after one more fact."""
    accesses = dict(support.accesses)
    match event:
        case SupportAccessBegun():
            accesses[event.operator_id] = Access(
                access_id=event.access_id,
                operator_id=event.operator_id,
                reason=event.reason,
                begun_us=event.occurred_us,
                expires_us=event.expires_us,
            )
        case SupportAccessEnded():
            accesses.pop(event.operator_id, None)
        case _:
            assert_never(event)
    return Support(accesses)


def begin(
    support: Support, *, account_id: UUID, access_id: UUID, reason: str, by: Actor, stamp: Stamp
) -> list[SupportEvent]:
    """Look into an account for an hour; whoever looks already begins anew, with another reason.

    Raises:
        NotPermitted: the actor is no operator: the command line has no eyes.
        BadField: the reason is empty or cannot be shown.
    """
    if by.operator_id is None:
        raise NotPermitted("an operator")
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    before = support.accesses.get(by.operator_id)
    if before is not None and before.access_id == access_id:
        return []
    return [
        SupportAccessBegun(
            account_id=account_id,
            access_id=access_id,
            operator_id=by.operator_id,
            reason=reason,
            expires_us=stamp.now_us + ACCESS_VALID_US,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def end(support: Support, *, account_id: UUID, by: Actor, stamp: Stamp) -> list[SupportEvent]:
    """Look no more; whoever does not look changes nothing."""
    access = None if by.operator_id is None else support.open_of(by.operator_id, now_us=stamp.now_us)
    if access is None:
        return []
    return [
        SupportAccessEnded(
            account_id=account_id,
            access_id=access.access_id,
            operator_id=access.operator_id,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]
