"""What a verification found: violations of the ledger's invariants, and figures that prove that it looked."""

from collections import Counter
from typing import Final

import msgspec

#: The invariants by their codes; a violation names one of them.
INVARIANTS: Final = {
    "P01": "the postings of every event sum to zero",
    "P02": "no account with a floor falls below it, after any event",
    "P03": "a lease never holds and charges more than was lent to it",
    "P04": "an account is never charged more than it was granted",
    "P05": "a settled lease has charged, returned and lost to expiry exactly what was lent, of each lot, once",
    "P06": "nothing follows the end of a lease",
    "P07": "a request is admitted once in the whole log, and charged at most once",
    "P08": "versions of a stream count 1, 2, 3, ...; positions rise",
    "P12": "a charge is what its units cost at its price version and factor, cut to its hold",
    "P14": "no later lot is spent while an earlier one that may be spent has credit in the same lease",
    "P15": "a lot is lent and held in its time and for its models only; what comes back too late is gone",
    "P28": "every charge, release and abandonment ends a request that was admitted, with its hold",
    "P30": "the accounts sum to zero and to the control totals",
    "P31": "what leases charge to a hard budget was lent to them, and no window lent more than it has",
    "P32": "credit of payments that went back is taken or owed as far as it is there, and who owes is lent nothing",
    "L01": "a lease never has more credit than its wallet says",
    "L02": "every topic is known, and every event fits its type",
    "L03": "an event stands in the stream where it belongs",
    "A01": "what is posted was asked for, once, and above the limit agreed to by another operator",
    "C01": "a code was issued, it or a demo is used once, and becomes the credit that was promised",
    "C02": "what was decided about a charge after it was made follows from it, once, and is asked for as an adjustment",
    "C03": "an automatic recharge was within its rule and its month's cap, one at a time, and is an order of its account",
    "C04": "what was bought on account was within a limit that two have agreed to, and is owed until it is paid or taken back",
    "B01": "a low balance is told of where it was crossed, once",
    "L04": "amounts are never negative, and a charge is never above its hold",
    "L05": "closing a month sealed the books as they stood at its end",
    "R01": "the read model `balances` equals the log",
    "R02": "the read model `request_log` equals the log",
    "R03": "the read model `keys` equals the log",
}
VIOLATIONS_KEPT_MAX: Final = 100


class Violation(msgspec.Struct, frozen=True):
    """One thing that does not add up. `position` is 0 when it belongs to no single event."""

    code: str
    position: int
    subject: str
    detail: str


class Figures(msgspec.Struct, kw_only=True):
    """How much was looked at. Amounts in nano-credits."""

    position: int = 0  #: the last event that was folded
    events: int = 0
    streams: int = 0
    accounts: int = 0
    leases_open: int = 0
    requests: int = 0
    requests_open: int = 0
    granted_nano: int = 0
    charged_nano: int = 0
    expired_nano: int = 0
    taken_nano: int = 0  #: debits, lots taken back, and credit of payments that went back
    owed_nano: int = 0  #: for credit of such payments that was spent
    shortfall_nano: int = 0
    trial_balance_sha256: str = (
        ""  #: over the sorted lines `account<TAB>balance` of accounts that are not zero
    )
    periods_compared: int = 0
    balances_compared: int = 0
    balances_position: int = 0
    requests_compared: int = 0
    requests_position: int = 0
    keys_compared: int = 0
    keys_position: int = 0
    took_s: float = 0.0


class Report(msgspec.Struct, frozen=True):
    """`violations` are the first ones in the order of the log; `counts` counts all of them by code."""

    ok: bool
    violations: tuple[Violation, ...]
    counts: dict[str, int]
    figures: Figures


class Findings:
    """Collects violations, and no more of them than a person reads."""

    def __init__(self) -> None:
        self._kept: list[Violation] = []
        self._counts: Counter[str] = Counter()

    def add(self, code: str, *, position: int, subject: object, detail: str) -> None:
        assert code in INVARIANTS
        self._counts[code] += 1
        if len(self._kept) < VIOLATIONS_KEPT_MAX:
            self._kept.append(Violation(code, position, str(subject), detail))

    def report(self, figures: Figures) -> Report:
        return Report(not self._counts, tuple(self._kept), dict(sorted(self._counts.items())), figures)


def render_text(report: Report) -> str:
    """The report for a terminal, ending in a newline."""
    seen = (
        "{events} events up to position {position} in {streams} streams\n"
        "{accounts} accounts, {leases_open} open leases, {requests} requests, {requests_open} of them open\n"
        "granted {granted_nano}, charged {charged_nano}, expired {expired_nano}, taken {taken_nano}, owed {owed_nano}, "
        "borne by the operator {shortfall_nano} nano-credits\n"
        "trial balance {trial_balance_sha256}\n"
        "{periods_compared} closed periods folded again\n"
        "{balances_compared} balances compared at position {balances_position}, "
        "{requests_compared} requests at position {requests_position}, {keys_compared} keys at position {keys_position}\n"
        "took {took_s:.1f} s"
    )
    lines = [seen.format_map(msgspec.structs.asdict(report.figures))]
    lines += [_line(violation) for violation in report.violations]
    left_out = sum(report.counts.values()) - len(report.violations)
    if left_out:
        lines.append(f"... and {left_out} more")
    lines += [f"{code} violated {count} times: {INVARIANTS[code]}" for code, count in report.counts.items()]
    lines.append("the ledger is clean" if report.ok else "THE LEDGER IS NOT CLEAN")
    return "\n".join(lines) + "\n"


def _line(violation: Violation) -> str:
    at = f" at {violation.position}" if violation.position else ""
    return f"{violation.code}{at}: {violation.subject}: {violation.detail}"
