"""Folds API keys and what was charged through them from the log on its own, and compares them with the read model `keys`."""

from uuid import UUID

import msgspec

from application.keys.queries import KeyFigures
from application.verify.balances import compare_rows
from application.verify.ledger import Stored
from application.verify.read_models import ReadModelSnapshot
from application.verify.report import Findings
from domain.keys.events import ApiKeyExpirySet, ApiKeyIssued, ApiKeyRevoked
from domain.ledger.events import RequestReleased, UsageCharged


class _Sums(msgspec.Struct):
    account_id: UUID | None = None
    revoked: bool = False
    expires_us: int | None = None
    charges: int = 0
    charged_nano: int = 0
    last_used_us: int | None = None


class KeyCheck:
    """Holds one small record for each key."""

    def __init__(self) -> None:
        self._keys: dict[UUID, _Sums] = {}

    def take(self, at: Stored) -> None:
        event = at.event
        match event:
            case ApiKeyIssued():
                sums = self._sums(event.key_id)
                sums.account_id, sums.expires_us = event.account_id, event.expires_us
            case ApiKeyExpirySet():
                self._sums(event.key_id).expires_us = event.expires_us
            case ApiKeyRevoked():
                self._sums(event.key_id).revoked = True
            case UsageCharged():
                sums = self._sums(event.key_id)
                sums.charges += 1
                sums.charged_nano += event.charge_nano
                sums.last_used_us = event.occurred_us
            case RequestReleased():
                self._sums(event.key_id).last_used_us = event.occurred_us
            case _:
                pass

    def compare(self, snapshot: ReadModelSnapshot, findings: Findings) -> int:
        """Compare all of it; returns how many keys there were."""
        expected = {
            key_id: KeyFigures(key_id=key_id, **msgspec.structs.asdict(sums))
            for key_id, sums in self._keys.items()
        }
        found = {figures.key_id: figures for figures in snapshot.key_figures()}
        compare_rows(findings, expected, found, code="R03", position=snapshot.keys_position, subject="key")
        return len(expected)

    def _sums(self, key_id: UUID) -> _Sums:
        return self._keys.setdefault(key_id, _Sums())
