"""B01: a low balance is told of where it was crossed, once. Costs nothing while no threshold was set."""

from uuid import UUID

from application.verify.ledger import LedgerFold, Stored
from application.verify.report import Findings
from domain.balance_alerts import (
    BalanceLowCrossed,
    BalanceLowSet,
    crossing_stream,
    falls_below,
    threshold_stream,
)


class LowBalanceCheck:
    """Feed it every setting and alert, and every event of the ledger after it was folded."""

    def __init__(self, findings: Findings, ledger: LedgerFold) -> None:
        self._findings = findings
        self._ledger = ledger
        self._thresholds: dict[UUID | None, int | None] = {}
        self._balances: dict[UUID, int] = {}  #: as of the last look
        self._crossings: dict[tuple[UUID, int], tuple[int, int]] = {}  #: not told of yet

    def set(self, at: Stored, event: BalanceLowSet) -> None:
        """From now on, and of one account at once."""
        if at.stream_id != threshold_stream(event.account_id):
            self._find("L03", at, "not the threshold of this account")
        account_id = event.account_id
        if not self._thresholds:
            self._balances = {one: self._balance_nano(one) for one in self._ledger.wallets}
        was_nano = 0 if account_id is None else self._threshold_nano(account_id)
        self._thresholds[account_id] = event.threshold_nano
        if account_id is None or account_id not in self._ledger.wallets:
            return
        balance_nano, threshold_nano = self._balances.get(account_id, 0), self._threshold_nano(account_id)
        if self._ledger.wallets[account_id].granted_nano and was_nano <= balance_nano < threshold_nano:
            self._crossings[account_id, at.position] = threshold_nano, balance_nano

    def moved(self, at: Stored, account_id: UUID | None) -> None:
        """An event of this account's wallet or of one of its leases was folded."""
        if not self._thresholds or account_id is None:
            return
        before_nano, after_nano = self._balances.get(account_id, 0), self._balance_nano(account_id)
        self._balances[account_id] = after_nano
        threshold_nano = self._threshold_nano(account_id)
        if falls_below(threshold_nano, before_nano=before_nano, after_nano=after_nano):
            self._crossings[account_id, at.position] = threshold_nano, after_nano

    def told(self, at: Stored, event: BalanceLowCrossed) -> None:
        """It is the first event of its stream, and says what was crossed."""
        stream_id = crossing_stream(event.account_id, event.crossed_position)
        is_first = at.version == 1 and at.stream_id == stream_id
        crossed = self._crossings.pop((event.account_id, event.crossed_position), None)
        if not is_first or crossed != (event.threshold_nano, event.balance_nano):
            self._find("B01", at, f"tells of a low balance of {event.account_id} that was not crossed there")

    def _threshold_nano(self, account_id: UUID) -> int:
        own_nano = self._thresholds.get(account_id)
        return (self._thresholds.get(None) or 0) if own_nano is None else own_nano

    def _balance_nano(self, account_id: UUID) -> int:
        wallet = self._ledger.wallets.get(account_id)
        charged_nano = self._ledger.charged_nano.get(account_id, 0)
        return (wallet.granted_nano - wallet.withdrawn_nano if wallet else 0) - charged_nano

    def _find(self, code: str, at: Stored, detail: str) -> None:
        self._findings.add(code, position=at.position, subject=at.stream_id, detail=detail)
