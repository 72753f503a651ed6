"""Asks the other owners of an account for credit before a request is refused. Belongs to the event loop."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from application.ledger.lender import LedgerTools
from application.ledger.live_lease import Admission
from application.ledger.recall import Recall
from application.ledger.wallet_access import WalletAccess
from domain.ledger.lending import request_recall

RECALL_EVENT_PAUSE_S = 0.15
"""At most one `LeaseRecallRequested` an account and process in this time: refused calls must not fill the log."""
RECALL_LOOK_S = 0.05
"""While answers are awaited the wallet is looked at this often: a dead owner's lease is settled without an answer."""
LOOKS_PER_QUESTION = 5
"""The question is asked again after so many looks without an answer: messages may get lost."""


class Recaller:
    """One question at a time; the banker is the only one who asks."""

    def __init__(self, account_id: UUID, access: WalletAccess, tools: LedgerTools) -> None:
        self._account_id = account_id
        self._access = access
        self._tools = tools
        self._question: Recall | None = None
        self._recorded_s = -RECALL_EVENT_PAUSE_S

    def answered(self, instance_id: UUID) -> None:
        if self._question is not None:
            self._question.answered_by(instance_id)

    async def ask_until(self, admission: Admission, *, available_nano: Callable[[], int]) -> bool:
        """Whether `available_nano`, asked after each look at the wallet, covers the hold; else all have answered, or time is up.

        Raises:
            EventLogError: the wallet cannot be read or written.
        """
        asked: set[UUID] = set()
        try:
            async with asyncio.timeout(self._tools.limits.recall_wait_s):
                while owners := self._worth_asking(admission, available_nano()) - asked:
                    asked |= owners  # credit may have moved on to an owner that was not asked yet
                    if await self._ask(owners, admission.hold_nano, available_nano):
                        return True
        except TimeoutError:
            pass
        finally:
            self._question = None
        return False

    def _worth_asking(self, admission: Admission, available_nano: int) -> set[UUID]:
        """The other owners, if all that they were lent and that serves the model could suffice."""
        wallet, me, now_us = self._access.wallet, self._tools.owner, self._tools.clock.now_us()
        lent_nano = {
            lease.owner.instance_id: sum(
                part.amount_nano
                for part in lease.slices
                if wallet.terms[part.lot_id].serves(admission.alias, now_us)
            )
            for lease in wallet.leases.values()
            if lease.owner != me
        }
        at_best_nano = available_nano + sum(lent_nano.values())
        return set() if at_best_nano < admission.hold_nano else set(lent_nano)

    async def _ask(self, owners: set[UUID], hold_nano: int, available_nano: Callable[[], int]) -> bool:
        question = self._question = Recall(owners)
        await self._record(hold_nano)
        looks = 0
        while True:
            if looks % LOOKS_PER_QUESTION == 0:
                self._tools.messages.ask(self._account_id)
            looks += 1
            is_complete = question.is_complete
            await self._access.refresh()
            if available_nano() >= hold_nano:
                return True
            if is_complete:
                return False
            await question.next_answer(within_s=RECALL_LOOK_S)

    async def _record(self, wanted_nano: int) -> None:
        now_s = self._tools.clock.monotonic_s()
        if now_s - self._recorded_s < RECALL_EVENT_PAUSE_S:
            return
        self._recorded_s = now_s
        await self._access.change(
            lambda wallet: request_recall(
                wallet,
                account_id=self._account_id,
                by=self._tools.owner,
                wanted_nano=wanted_nano,
                now_us=self._tools.clock.now_us(),
            )
        )
