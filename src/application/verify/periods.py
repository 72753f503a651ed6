"""Whether each closing of a month sealed what the log says: position, number of accounts and digest, folded again.

What the books stood at when a month ended is known when the first fact of a later one is booked (ADR 37, 39), so this
keeps one digest for each month in which something moved.
"""

from collections.abc import Callable
from typing import Final

from application.verify.report import Findings
from domain.ledger.postings import CURRENT_RULES
from domain.periods import PeriodClosed, TrialBalanceSeal, end_of, month_end_us, trial_balance_sha256

NOTHING: Final = TrialBalanceSeal(
    position=0, rules_version=CURRENT_RULES, accounts=0, sha256=trial_balance_sha256({})
)


class PeriodCheck:
    """Takes every fact that moves something before it is posted, and every closing. `balances` are not zero."""

    def __init__(self, findings: Findings, balances: Callable[[], dict[str, int]]) -> None:
        self.compared = 0
        self._findings = findings
        self._balances = balances
        self._ends: dict[int, TrialBalanceSeal] = {}  # by the end of the month, in their order
        self._position = 0
        self._booked_us = 0
        self._until_us = 0

    def book(self, position: int, recorded_at_us: int) -> None:
        """A fact is about to be posted."""
        self._booked_us = max(self._booked_us, recorded_at_us)
        if self._booked_us >= self._until_us:
            if self._position:
                self._ends[self._until_us] = self._now()
            self._until_us = month_end_us(self._booked_us)
        self._position = position

    def check(self, position: int, closed: PeriodClosed) -> None:
        """Compare a closing with what was folded up to the end of its month."""
        self.compared += 1
        faults = [*self._faults(closed)]
        if faults:
            self._findings.add("L05", position=position, subject=closed.period, detail="; ".join(faults))

    def _faults(self, closed: PeriodClosed) -> list[str]:
        if closed.until_us != end_of(closed.period):
            return [f"until_us is {closed.until_us}, the month ends at {end_of(closed.period)}"]
        if closed.rules_version > CURRENT_RULES:
            return [f"sealed by posting rules {closed.rules_version}, newer than those of this program"]
        found = self._at(closed.until_us)
        pairs = (
            ("position", closed.position, found.position),
            ("accounts", closed.accounts, found.accounts),
            ("trial balance", closed.trial_balance_sha256, found.sha256),
        )
        return [
            f"sealed {name} {sealed}, the log has {folded}"
            for name, sealed, folded in pairs
            if sealed != folded
        ]

    def _at(self, until_us: int) -> TrialBalanceSeal:
        """The books at the end of a month: as they are now, if nothing was booked later."""
        if self._booked_us < until_us:
            return self._now() if self._position else NOTHING
        ends = [end for end_us, end in self._ends.items() if end_us <= until_us]
        return ends[-1] if ends else NOTHING

    def _now(self) -> TrialBalanceSeal:
        balances = self._balances()
        return TrialBalanceSeal(
            position=self._position,
            rules_version=CURRENT_RULES,
            accounts=sum(map(bool, balances.values())),
            sha256=trial_balance_sha256(balances),
        )
