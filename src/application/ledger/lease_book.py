"""All leases of one gateway process: the way in for requests, upkeep, messages of other processes, shutdown."""

import asyncio
import contextlib
from uuid import UUID

import structlog

from application.eventlog import EventLogError
from application.ledger.account_credit import AccountCredit
from application.ledger.lender import LedgerTools
from application.ledger.live_lease import Admission, Hold, LiveLease

UPKEEP_S = 0.5
CLOSE_S = 10.0

log = structlog.get_logger()


class LeaseBook:
    """Holds and charges for every account that this process serves. Belongs to the event loop."""

    def __init__(self, tools: LedgerTools) -> None:
        self._tools = tools
        self._accounts: dict[UUID, AccountCredit] = {}
        self._upkeep: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin upkeep; `receive` must be subscribed to the wake-ups."""
        self._upkeep = asyncio.get_running_loop().create_task(self._keep_up())

    def try_hold(self, admission: Admission) -> Hold | None:
        """Admit from memory, or None: then `hold`. Raises `JournalFull`; nothing is held then."""
        account = self._accounts.get(admission.account_id)
        return account.try_hold(admission) if account is not None else None

    async def hold(self, admission: Admission) -> Hold:
        """Admit, borrowing as needed.

        Raises:
            InsufficientCredit: the account's credit does not cover the worst case; nothing is held.
            AccountInDebt: the account owes something; nothing is held.
            JournalFull, LogUnavailable: the ledger cannot be written; nothing is held.
        """
        account = self._accounts.get(admission.account_id)
        if account is None:
            account = self._accounts[admission.account_id] = AccountCredit(admission.account_id, self._tools)
        return await account.hold(admission)

    def settled(self, account_id: UUID) -> None:
        """Tell that a hold of this account was charged or released."""
        account = self._accounts.get(account_id)
        if account is not None:
            account.settled()

    def lose(self, account_id: UUID, live: LiveLease) -> None:
        """Drop a lease that turned out to be ended by another writer."""
        log.warning("lease_lost", account_id=str(account_id), lease_id=str(live.lease.lease_id))
        account = self._accounts.get(account_id)
        if account is not None:
            account.lose(live)

    def lose_all(self) -> None:
        """Drop every lease: the log may have lost what they were counted on from. Those that are open get fenced."""
        log.warning("leases_lost", accounts=len(self._accounts))
        for account in self._accounts.values():
            account.lose_all()

    def known_balance_nano(self, account_id: UUID) -> int | None:
        """What is available as far as this process knows; None when it has not served the account lately."""
        account = self._accounts.get(account_id)
        return None if account is None else account.known_balance_nano()

    def receive(self, message: str) -> None:
        """Take a wake-up message of another process."""
        parsed = self._tools.messages.parse(message)
        if parsed is None:
            return
        kind, account_id, sender = parsed
        account = self._accounts.get(account_id)
        if kind == "recalled":
            if account is not None:
                account.recall_answered(sender)
        elif account is not None:
            account.recall_asked()
        else:
            self._tools.messages.answer(account_id)

    async def close(self, *, account_s_max: float = CLOSE_S) -> None:
        """Settle every lease that holds nothing; call it when no request is open any more.

        An account that takes longer finds the log silent: then it and those behind it are left to the reaper.
        """
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
        try:
            for account in list(self._accounts.values()):
                async with asyncio.timeout(account_s_max):
                    with contextlib.suppress(EventLogError):
                        await account.close()
        except TimeoutError:
            log.warning("leases_left_open", accounts=len(self._accounts))

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_S)
            try:
                self._tools.gateways.count = await asyncio.to_thread(self._tools.presence.live_gateways)
            except Exception as error:  # noqa: BLE001  # upkeep must outlive any failure; the old count will do
                log.warning("live_gateways_unknown", error=type(error).__name__)
            await self._keep_accounts_up()

    async def _keep_accounts_up(self) -> None:
        for account_id, account in list(self._accounts.items()):
            try:
                await account.keep_up()
            except Exception as error:  # noqa: BLE001  # one account's fault must not keep the others' leases
                log.warning("lease_upkeep_failed", account_id=str(account_id), error=type(error).__name__)
            if account.is_idle:
                del self._accounts[account_id]
