"""A month of money from two sides: what is booked, and what documents, orders, providers and statements say of the same."""

from typing import Final, Literal, Protocol

import msgspec

from domain.money.figures import CREDIT, NAMES, FigureName

Source = Literal["documents", "orders", "lines", "bills", "statements"]
SOURCES: Final[dict[FigureName, Source]] = {
    "deferred": "documents",
    "tax": "documents",
    "refunds_under_way": "orders",
    "disputes_under_way": "orders",
    "receivable": "orders",
    "transfers": "orders",
    "received": "lines",
    "refunded": "lines",
    "disputed": "lines",
    "fees": "lines",
    "paid_out": "lines",
    "unmatched": "lines",
    "bills": "bills",
    "bought": "statements",
    "gone_back": "statements",
}


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. Minor units of the ledger's currency; in the ledger `credit` nano-credits."""

    ledger: str  #: a currency, `EUR`, one in test mode, `EUR test`, or `credit`
    name: FigureName
    party: str  #: the provider that it is at; empty where it is at none
    source: Source  #: of the other side
    booked: int
    told: int
    difference: int  #: what is booked and not told, or told and not booked if negative


class MonthComparison(msgspec.Struct, frozen=True, kw_only=True):
    """All figures that are not zero on both sides. What happened at a month's end may be told in the next one."""

    month: str
    position: int
    agrees: bool
    items: tuple[Compared, ...]


class MonthQueries(Protocol):
    """Blocking; safe to use from threads."""

    def month(self, month: str) -> MonthComparison:
        """A month of UTC such as `2026-11`; the providers' lines of it by the providers' own time.

        Raises:
            BadField: it is none.
        """
        ...


def compare(
    month: str, *, position: int, sides: dict[tuple[str, FigureName, str], tuple[int, int]]
) -> MonthComparison:
    """Set what is booked against what is told, by ledger, figure and provider. Nothing of test mode has documents."""
    items = tuple(
        Compared(
            ledger=ledger,
            name=name,
            party=party,
            source=SOURCES[name],
            booked=booked,
            told=told,
            difference=booked - told,
        )
        for (ledger, name, party), (booked, told) in sorted(sides.items(), key=lambda one: _order(one[0]))
        if (booked or told) and not (SOURCES[name] == "documents" and " " in ledger)
    )
    agrees = not any(one.difference for one in items)
    return MonthComparison(month=month, position=position, agrees=agrees, items=items)


def _order(key: tuple[str, FigureName, str]) -> tuple[bool, str, str, int]:
    ledger, name, party = key
    return ledger == CREDIT, ledger, party, NAMES.index(name)
