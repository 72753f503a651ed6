"""What is promised to customers: codes that become credit once, and word of a balance that falls below its threshold.

A `Teller` is the read model and the scheduler in one: it may die at any time and look at the whole log again.
"""

from collections.abc import Sequence
from uuid import UUID

from application.eventlog import NewEvent, VersionConflict
from domain import balance_alerts
from domain.balance_alerts import BalanceLowCrossed, BalanceLowSet, threshold_stream
from domain.event import Event
from domain.fact import Stamp
from domain.ledger.events import UsageCharged
from domain.ledger.wallet import Wallet
from domain.promotions import batch as codes
from domain.promotions.batch import Batch, Code, batch_stream, code_stream, count_stream, lot_of
from domain.promotions.events import CodeBatchIssued
from tests.model.store import Stored, new_event
from tests.model.world import ACCOUNT, WALLET, World, fold_wallet


class Counter:
    """Where codes are issued and redeemed."""

    def __init__(self, world: World) -> None:
        self.batches: list[UUID] = []
        self.codes: list[tuple[str, UUID]] = []  #: the hash of each, and its batch
        self._world = world

    def issue(
        self,
        *,
        count: int,
        per_account: int,
        amount_nano: int,
        until_us: int | None,
        aliases: tuple[str, ...],
    ) -> None:
        batch_id, stamp = self._world.new_id(), self._stamp()
        wanted = CodeBatchIssued(
            batch_id=batch_id,
            count=count,
            amount_nano=amount_nano,
            per_account=per_account,
            redeem_until_us=until_us,
            aliases=aliases,
            note="test",
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
        (issued,) = codes.issue(None, wanted=wanted, stamp=stamp)
        made = [(f"{batch_id}/{number}", batch_id) for number in range(count)]
        facts = codes.codes_of(batch_id, count=count, stamp=stamp)
        self._world.log.append(
            [
                new_event(batch_stream(batch_id), 1, issued),
                *(new_event(code_stream(code), 1, fact) for (code, _), fact in zip(made, facts, strict=True)),
            ]
        )
        self.batches.append(batch_id)
        self.codes += made

    def withdraw(self, batch_id: UUID) -> None:
        decided = codes.withdraw(self._batch(batch_id), reason="test", stamp=self._stamp())
        if decided:
            self._world.log.append([new_event(batch_stream(batch_id), 2, decided[0])])

    def draft(self, code: str, batch_id: UUID) -> list[NewEvent]:
        """What would make credit of a code, as the log is now. Raises the refusals of `batch.redeem`."""
        log, rules, stamp, lot_id = self._world.log, self._world.rules, self._stamp(), lot_of(code)
        counted, batch = log.head(count_stream(batch_id, ACCOUNT)), self._batch(batch_id)
        used, count = rules.redeem(
            self._code(code), batch, redeemed_before=counted, account_id=ACCOUNT, lot_id=lot_id, stamp=stamp
        )
        wallet = self._world.wallet()
        granted = rules.credit_of(batch, wallet, account_id=ACCOUNT, lot_id=lot_id, stamp=stamp)
        return [
            new_event(code_stream(code), 2, used),
            new_event(count_stream(batch_id, ACCOUNT), counted + 1, count),
            *_on_wallet(wallet, granted),
        ]

    def _batch(self, batch_id: UUID) -> Batch:
        batch = None
        for stored in self._world.log.read_stream(batch_stream(batch_id)):
            batch = codes.evolve(batch, stored.event)  # type: ignore[arg-type]  # of this stream
        return codes.existing(batch)

    def _code(self, code: str) -> Code | None:
        found = None
        for stored in self._world.log.read_stream(code_stream(code)):
            found = codes.evolve_code(found, stored.event)  # type: ignore[arg-type]  # of this stream
        return found

    def _stamp(self) -> Stamp:
        return Stamp(now_us=self._world.now_us(), actor="operator:1")


def _on_wallet(wallet: Wallet, events: Sequence[Event]) -> list[NewEvent]:
    return [new_event(WALLET, version, event) for version, event in enumerate(events, wallet.version + 1)]


def set_threshold(world: World, account_id: UUID | None, threshold_nano: int | None) -> None:
    """Of the account, or of all; the same again stores nothing."""
    stream_id, present_nano = threshold_stream(account_id), None
    for stored in world.log.read_stream(stream_id):
        present_nano = balance_alerts.evolve(present_nano, stored.event)  # type: ignore[arg-type]  # of this stream
    stamp = Stamp(now_us=world.now_us(), actor="operator:1")
    decided = balance_alerts.set_threshold(
        present_nano, account_id=account_id, threshold_nano=threshold_nano, stamp=stamp
    )
    world.log.append(
        [new_event(stream_id, world.log.head(stream_id) + 1, event) for event in decided]
    ) if decided else None


class Teller:
    """Looks for crossings, and tells of those that it has not told of in this life; the log knows of the others."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wallet = Wallet()
        self._charged_nano = 0
        self._position = 0
        self._thresholds: dict[UUID | None, int | None] = {}

    def tell(self) -> None:
        for stored in self._world.log.read_log(after_position=self._position):
            self._position = stored.position
            crossed = self._look(stored)
            if crossed is not None:
                self._store(crossed)

    def _store(self, crossed: BalanceLowCrossed) -> None:
        stream_id = self._world.rules.crossing_stream(ACCOUNT, crossed.crossed_position)
        try:
            self._world.log.append([new_event(stream_id, 1, crossed)])
        except VersionConflict:
            self._world.note("told by an earlier life")

    def _look(self, stored: Stored) -> BalanceLowCrossed | None:
        before_nano = self._balance_nano
        if isinstance(stored.event, BalanceLowSet):
            was_nano, account_id = self._threshold_nano, stored.event.account_id
            self._thresholds[account_id] = stored.event.threshold_nano
            if account_id is None or not self._wallet.granted_nano or before_nano < was_nano:
                return None
            before_nano = max(before_nano, self._threshold_nano)
        elif stored.stream_id == WALLET:
            fold_wallet(self._wallet, stored.event)
        elif isinstance(stored.event, UsageCharged):
            self._charged_nano += stored.event.charge_nano
        else:
            return None
        after_nano, threshold_nano = self._balance_nano, self._threshold_nano
        if not self._world.rules.falls_below(threshold_nano, before_nano=before_nano, after_nano=after_nano):
            return None
        return BalanceLowCrossed(
            account_id=ACCOUNT,
            threshold_nano=threshold_nano,
            balance_nano=after_nano,
            crossed_position=stored.position,
            occurred_us=stored.event.occurred_us,  # type: ignore[attr-defined]  # each of these has one
        )

    @property
    def _balance_nano(self) -> int:
        return self._wallet.granted_nano - self._wallet.withdrawn_nano - self._charged_nano

    @property
    def _threshold_nano(self) -> int:
        own_nano = self._thresholds.get(ACCOUNT)
        return (self._thresholds.get(None) or 0) if own_nano is None else own_nano
