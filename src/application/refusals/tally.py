"""Counts refusals by account, key and rule until they are told. Belongs to the event loop; bounded."""

from typing import Final
from uuid import UUID

from application.clock import Clock
from application.gateway.refused import Refused
from domain.refusal_summaries import RefusedCalls

TOLD: Final = frozenset(
    {
        "insufficient_quota",
        "account_in_debt",
        "budget_exceeded",
        "rate_limit_exceeded",
        "permission_denied",
        "model_not_found",
        "max_price_exceeded",
        "no_matching_provider",
        "context_length_exceeded",
    }
)
"""Codes of rules that somebody set, and later asks about."""
ENTRIES_MAX: Final = 1_000

_Rule = tuple[UUID, str, str | None]


class RefusalTally:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[UUID, dict[_Rule, RefusedCalls]] = {}
        self._entries = 0
        self.untold = 0  #: refusals for which there was no room

    def wants(self, refusal: Refused) -> bool:
        """Whether it is one to be counted, before anybody looks up whose it is."""
        return refusal.code in TOLD

    def note(self, account_id: UUID, key_id: UUID, refusal: Refused) -> None:
        """Count one refused call."""
        entries = self._accounts.get(account_id, {})
        rule = (key_id, refusal.code, refusal.rule)
        before = entries.get(rule)
        if before is None:
            if self._entries >= ENTRIES_MAX:
                self.untold += 1
                return
            self._entries += 1
        now_us = self._clock.now_us()
        entries[rule] = RefusedCalls(
            key_id=key_id,
            code=refusal.code,
            rule=refusal.rule,
            limit=refusal.limit,
            required_nano=refusal.numbers.get("required_nano"),
            available_nano=refusal.numbers.get("available_nano"),
            calls=1 + (before.calls if before else 0),
            first_us=before.first_us if before else now_us,
            last_us=now_us,
        )
        self._accounts[account_id] = entries

    def take(self) -> dict[UUID, tuple[RefusedCalls, ...]]:
        """What was counted, by account; counting begins anew."""
        taken = {account_id: tuple(entries.values()) for account_id, entries in self._accounts.items()}
        self._accounts, self._entries = {}, 0
        return taken
