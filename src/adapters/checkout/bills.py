"""What the bills of a provider say of our account: one for each day of its own zone, as files. Here they become lines of the port.

A bill is refused as a whole (`ProviderRefused`, its reason begins with `bill_`): nothing is concluded from one that is another day's,
another merchant's, or does not add up. A day without a bill is a day without lines; it is asked for again as long as it is looked back to.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog

from adapters.checkout.alipay_wire import ZONE
from adapters.checkout.yuan import CURRENCY
from application.checkout.ports import BalanceTransaction, ProviderRefused

_US: Final = 1_000_000
_WORDS: Final = re.compile(r"[\w-]{1,64}")
_REF: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_DAY: Final = timedelta(days=1)

log = structlog.get_logger()


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One movement on our account. Neither who paid nor what anybody wrote about it is read."""

    flow_ref: str  #: its own number
    business_ref: str  #: the provider's number of what it is of
    own_ref: str  #: ours
    kind: str
    amount_minor: int  #: negative where money left
    at_us: int


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """A refund, by the provider's list of trades. `key` is how a movement names it."""

    key: str
    payment_ref: str
    refund_ref: str  #: as orders know it


class DayBills(Protocol):
    """The bills of one provider. Raises `ProviderUnavailable` and `ProviderRefused`."""

    name: str

    def flows(self, day: date) -> Sequence[Flow]:
        """What moved on a day; nothing where there is no bill."""
        ...

    def returned(self, day: date) -> Sequence[Returned]:
        """The refunds of a day; likewise."""
        ...

    def key_of(self, flow: Flow) -> str:
        """Which refund a movement would be of."""
        ...


def balance_lines(bills: DayBills, *, since_us: int, until_us: int) -> Iterator[BalanceTransaction]:
    """The lines of all days that are over by `until_us`, oldest first.

    Raises:
        ProviderRefused: a bill is no good. That of the first one, once the other days are read.
        ProviderUnavailable: at once.
    """
    refused: ProviderRefused | None = None
    refunds = _Refunds(bills)
    for day in days_between(since_us, until_us):
        try:
            lines = _unique([_line(one, refunds.of(one, day)) for one in bills.flows(day)])
        except ProviderRefused as error:
            log.warning("bill_not_read", provider=bills.name, day=day.isoformat(), reason=error.reason)
            refused = refused or error
            continue
        yield from (one for one in lines if since_us <= one.created_us < until_us)
    if refused is not None:
        raise refused


def days_between(since_us: int, until_us: int) -> Iterator[date]:
    """The days of China that have a part after `since_us`, and are over by `until_us`."""
    day = datetime.fromtimestamp(since_us / _US, tz=ZONE).date()
    while day_end_us(day) <= until_us:
        yield day
        day += _DAY


def day_end_us(day: date) -> int:
    """When the next day begins."""
    return int(datetime.combine(day + _DAY, datetime.min.time(), tzinfo=ZONE).timestamp()) * _US


def flow(
    *,
    flow_ref: str,
    business_ref: str,
    own_ref: str,
    words: str,
    kinds: Mapping[str, tuple[str, str]],
    amount_minor: int | None,
    at_us: int,
    day: date,
) -> Flow:
    """A movement, from what its row says. `kinds`: by the provider's word, what it is where money came and where it left.

    Raises:
        ProviderRefused: it is none, or is of another day.
    """
    if amount_minor is None or not _REF.fullmatch(flow_ref):
        raise ProviderRefused("bill_unreadable")
    if not day_end_us(day - _DAY) <= at_us < day_end_us(day):
        raise ProviderRefused("bill_of_another_day")
    came, left = next((known for word, known in kinds.items() if word in words), ("", ""))
    # Words that nobody knows are shown as they are, if they are words.
    unknown = words if _WORDS.fullmatch(words) else "unknown"
    return Flow(
        flow_ref=flow_ref,
        business_ref=business_ref if _REF.fullmatch(business_ref) else "",
        own_ref=own_ref if _REF.fullmatch(own_ref) else "",
        kind=(came if amount_minor >= 0 else left) or unknown,
        amount_minor=amount_minor,
        at_us=at_us,
    )


class _Refunds:
    """Finds the refund that a movement is of: in the trades of its day, or of the day before, as the two are told apart at midnight."""

    def __init__(self, bills: DayBills) -> None:
        self._bills = bills
        self._days: dict[date, dict[str, list[Returned]]] = {}

    def of(self, flow: Flow, day: date) -> Returned | None:
        if not flow.kind.startswith("refund"):
            return None
        key = self._bills.key_of(flow)
        for one in (day, day - _DAY):
            found = self._of_day(one).get(key)
            if found:
                # Two refunds of one payment over the same sum: each movement is of another one.
                return found.pop(0) if len(found) > 1 else found[0]
        return None

    def _of_day(self, day: date) -> dict[str, list[Returned]]:
        if day not in self._days:
            self._days[day] = _by_key(self._bills.returned(day))
        return self._days[day]


def _by_key(returned: Iterable[Returned]) -> dict[str, list[Returned]]:
    found: dict[str, list[Returned]] = {}
    for one in returned:
        found.setdefault(one.key, []).append(one)
    return found


def _unique(lines: list[BalanceTransaction]) -> list[BalanceTransaction]:
    """Two lines of one number would be recorded as one."""
    if len({one.transaction_ref for one in lines}) < len(lines):
        raise ProviderRefused("bill_unreadable")
    return lines


def _line(flow: Flow, refund: Returned | None) -> BalanceTransaction:
    is_fee = flow.kind == "fee"
    return BalanceTransaction(
        # A fee may be told under the number of what it is taken for.
        transaction_ref=f"{flow.flow_ref}/fee" if is_fee else flow.flow_ref,
        kind=flow.kind,
        source_ref=refund.payment_ref if refund else flow.business_ref or flow.flow_ref,
        object_ref=refund.refund_ref if refund else "",
        gross_minor=0 if is_fee else flow.amount_minor,
        fee_minor=-flow.amount_minor if is_fee else 0,
        net_minor=flow.amount_minor,
        currency=CURRENCY,
        created_us=flow.at_us,
    )
