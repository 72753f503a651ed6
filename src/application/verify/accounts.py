"""The trial balance: every movement posted by the versioned rules, floors checked at each step."""

from collections import Counter

from application.verify.ledger import LedgerFold, Stored
from application.verify.report import Findings
from domain.ledger.postings import TrialBalance, load_rules, postings
from domain.periods import trial_balance_sha256


class Accounts:
    """All accounts that are not zero. Costs what an event touches, not what the ledger holds."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._rules = load_rules()
        self._trial = TrialBalance(self._rules)

    def take(self, at: Stored) -> None:
        """Post one event, then look at the accounts that it touched."""
        touched: set[str] = set()
        for posting in postings(self._rules, at.event, stream_id=at.stream_id):
            self._trial.post(posting)
            touched |= {posting.debit, posting.credit}
        if not touched:
            return
        balances = self._trial.balances
        for name in self._trial.below_floor(*touched):
            self._findings.add(
                "P02", position=at.position, subject=name, detail=f"stands at {balances[name]}"
            )
        for name in touched:
            if not balances[name]:
                del balances[name]

    def balances(self) -> dict[str, int]:
        """Of all accounts that are not zero, as they are now."""
        return self._trial.balances

    def sha256(self) -> str:
        """A digest of all balances, for comparison with an independent replay."""
        return trial_balance_sha256(self._trial.balances)

    def finish(self, ledger: LedgerFold) -> None:
        """Compare with zero, and with what the folds of wallets and leases say."""
        self._expect("the sum over all accounts", self._trial.total_nano(), 0)
        totals: Counter[str] = Counter()
        wallets: Counter[str] = Counter()
        for name, balance_nano in self._trial.balances.items():
            kind, _, rest = name.partition(":")
            totals[kind] += balance_nano
            if kind == "wallet":
                wallets[rest.partition(":")[0]] += balance_nano
        for account_id, wallet in ledger.wallets.items():
            self._expect(f"wallet of {account_id}", wallets[str(account_id)], wallet.available_nano)
        granted_nano = sum(wallet.granted_nano for wallet in ledger.wallets.values())
        charged_nano = sum(ledger.charged_nano.values())
        taken_nano = sum(wallet.taken_nano for wallet in ledger.wallets.values())
        owed_nano = sum(wallet.owed_nano for wallet in ledger.wallets.values())
        written_off_nano = sum(wallet.written_off_nano for wallet in ledger.wallets.values())
        issued_nano = granted_nano - taken_nano - owed_nano - written_off_nano
        self._expect("issued", -totals["issued"], issued_nano)
        self._expect("receivable", -totals["receivable"], owed_nano)
        frozen_nano = sum(wallet.frozen_nano for wallet in ledger.wallets.values())
        self._expect("frozen", totals["frozen"], frozen_nano)
        expired_nano = sum(wallet.expired_nano for wallet in ledger.wallets.values())
        self._expect("breakage", totals["breakage"], expired_nano)
        self._expect("usage", totals["usage"], charged_nano + ledger.shortfall_nano)
        self._expect("leased", totals["leased"], _leased_nano(ledger))

    def _expect(self, subject: str, found_nano: int, expected_nano: int) -> None:
        if found_nano != expected_nano:
            detail = f"stands at {found_nano}, should be {expected_nano}"
            self._findings.add("P30", position=0, subject=subject, detail=detail)


def _leased_nano(ledger: LedgerFold) -> int:
    """What live leases have that is not charged."""
    lent = {
        lease_id: lent.amount_nano
        for wallet in ledger.wallets.values()
        for lease_id, lent in wallet.leases.items()
    }
    return sum(
        amount_nano - (ledger.leases[lease_id].charged_nano if lease_id in ledger.leases else 0)
        for lease_id, amount_nano in lent.items()
    )
