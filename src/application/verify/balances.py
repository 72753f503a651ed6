"""Folds balances from the log on its own, and compares them with the read model `balances`."""

from collections.abc import Mapping
from typing import assert_never, cast
from uuid import UUID

import msgspec

from application.queries import Balance, OpenHold
from application.verify.ledger import Stored
from application.verify.read_models import ReadModelSnapshot
from application.verify.report import Findings
from domain.ledger.claim_events import (
    CLAIM_EVENTS,
    ClaimEvent,
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    ReceivableWrittenOff,
    TakenCreditRestored,
)
from domain.ledger.events import (
    AdjustmentPosted,
    CreditLotExpired,
    CreditLotGranted,
    CreditLotVoided,
    LeaseReduced,
    LeaseSettled,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from domain.ledger.lots import sum_nano


class _Sums(msgspec.Struct):
    granted_nano: int = 0
    charged_nano: int = 0
    expired_nano: int = 0
    taken_nano: int = 0
    held_nano: int = 0
    frozen_nano: int = 0
    owed_nano: int = 0
    open_holds: int = 0
    updated_position: int = 0


class BalanceCheck:
    """Holds one small record for each account and each open hold."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, _Sums] = {}
        self._holds: dict[UUID, OpenHold] = {}

    def take(self, at: Stored) -> None:
        event = at.event
        match event:
            case CreditLotGranted():
                self._sums(at, event.account_id).granted_nano += event.amount_nano
            case CreditLotExpired():
                self._sums(at, event.account_id).expired_nano += event.amount_nano
            case AdjustmentPosted():
                sums = self._sums(at, event.account_id)
                sums.granted_nano += sum_nano(event.added or ())
                sums.taken_nano += sum_nano(event.taken or ())
            case CreditLotVoided():
                self._sums(at, event.account_id).taken_nano += event.amount_nano
            case LeaseReduced() | LeaseSettled():
                sums = self._sums(at, event.account_id)
                sums.expired_nano += sum_nano(event.expired or ())
                sums.taken_nano += sum_nano(event.voided or ())
            case RequestAdmitted():
                sums = self._sums(at, event.account_id)
                sums.held_nano += event.hold_nano
                sums.open_holds += 1
                self._holds[event.request_id] = OpenHold(
                    request_id=event.request_id,
                    account_id=event.account_id,
                    lease_id=at.stream_id,
                    hold_nano=event.hold_nano,
                    since_us=event.occurred_us,
                )
            case UsageCharged() | RequestReleased() | RequestAbandoned():
                sums = self._sums(at, event.account_id)
                sums.held_nano -= event.hold_nano
                sums.open_holds -= 1
                self._holds.pop(event.request_id, None)
                if isinstance(event, UsageCharged):
                    sums.charged_nano += event.charge_nano
            case _ if isinstance(event, CLAIM_EVENTS):
                claimed = cast("ClaimEvent", event)
                _claim(self._sums(at, claimed.account_id), claimed)
            case _:
                pass

    def compare(self, snapshot: ReadModelSnapshot, findings: Findings) -> int:
        """Compare all of it; returns how many balances there were."""
        expected = {account_id: _balance(account_id, sums) for account_id, sums in self._accounts.items()}
        found = {balance.account_id: balance for balance in snapshot.balances()}
        at = snapshot.balances_position
        compare_rows(findings, expected, found, code="R01", position=at, subject="balance of")
        holds = {hold.request_id: hold for hold in snapshot.open_holds()}
        compare_rows(findings, self._holds, holds, code="R01", position=at, subject="open hold of")
        return len(expected)

    def _sums(self, at: Stored, account_id: UUID) -> _Sums:
        sums = self._accounts.get(account_id)
        if sums is None:
            sums = self._accounts[account_id] = _Sums()
        sums.updated_position = at.position
        return sums


def _claim(sums: _Sums, event: ClaimEvent) -> None:
    match event:
        case CreditFrozen():
            sums.frozen_nano += event.amount_nano
        case CreditUnfrozen():
            expired_nano, voided_nano = event.expired_nano or 0, event.voided_nano or 0
            sums.frozen_nano -= event.amount_nano + expired_nano + voided_nano
            sums.expired_nano += expired_nano
            sums.taken_nano += voided_nano
        case FrozenCreditTaken():
            sums.frozen_nano -= event.amount_nano
            sums.taken_nano += event.amount_nano
            sums.owed_nano += event.owed_nano
        case TakenCreditRestored():
            sums.granted_nano += event.amount_nano
        case ReceivableSettled():
            sums.taken_nano += event.amount_nano
            sums.owed_nano -= event.amount_nano
        case ReceivableWrittenOff():
            sums.owed_nano -= event.amount_nano
        case _:
            assert_never(event)


def _balance(account_id: UUID, sums: _Sums) -> Balance:
    posted_nano = sums.granted_nano - sums.charged_nano - sums.expired_nano - sums.taken_nano
    return Balance(
        account_id=account_id,
        granted_nano=sums.granted_nano,
        charged_nano=sums.charged_nano,
        expired_nano=sums.expired_nano,
        taken_nano=sums.taken_nano,
        posted_nano=posted_nano,
        held_nano=sums.held_nano,
        frozen_nano=sums.frozen_nano,
        owed_nano=sums.owed_nano,
        available_nano=posted_nano - sums.held_nano - sums.frozen_nano,
        open_holds=sums.open_holds,
        updated_position=sums.updated_position,
    )


def compare_rows(
    findings: Findings,
    expected: Mapping[UUID, msgspec.Struct],
    found: Mapping[UUID, msgspec.Struct],
    *,
    code: str,
    position: int,
    subject: str,
) -> None:
    """Find what differs between the rows that the log tells of and those that are there."""
    for one in expected.keys() | found.keys():
        detail = difference(expected.get(one), found.get(one))
        if detail:
            findings.add(code, position=position, subject=f"{subject} {one}", detail=detail)


def difference(expected: msgspec.Struct | None, found: msgspec.Struct | None) -> str:
    """What differs between a row that the log tells of and the one that is there; empty if nothing does."""
    if expected == found:
        return ""
    if expected is None:
        return "is there, but the log does not tell of it"
    if found is None:
        return "is missing"
    wanted = msgspec.structs.asdict(expected)
    differing = {
        name: value for name, value in msgspec.structs.asdict(found).items() if value != wanted[name]
    }
    return "; ".join(f"{name} is {value!r}, should be {wanted[name]!r}" for name, value in differing.items())
