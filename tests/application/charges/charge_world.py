"""A customer with credit and a few requests that have ended, in a log in memory or another, and two operators."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.accounts import open_account
from application.adjustments import adjust_credit
from application.adjustments.adjust_credit import AdjustCredit
from application.catalogue import publish_prices
from application.charges import dispute_charge, report_usage, review_charge
from application.charges.dispute_charge import DisputeCharge
from application.charges.report_usage import ReportLateUsage, UsageTaken
from application.charges.review_charge import ReviewCharge, Reviewed
from application.command import Done, Ports, new_event
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.wallet_reader import load_wallet, wallet_stream
from application.verify import Report, verify
from domain.catalogue.prices import PriceText
from domain.event import Event
from domain.fact import SYSTEM, Actor
from domain.ledger import lease as lease_rules
from domain.ledger import leasing, lending
from domain.ledger.charges import DisputeCause
from domain.ledger.events import Owner, Units
from domain.ledger.lease import Lease
from domain.ledger.wallet import Wallet
from domain.topics import REGISTRY
from tests.domain.ledger.facts import ANSWER
from tests.fakes import MemoryEventStore, memory_ports

FIRST, SECOND = Actor("operator", UUID(int=901)), Actor("operator", UUID(int=902))
ADA = Actor("member", UUID(int=903))
KEY, LEASE, LOT = UUID(int=920), UUID(int=921), UUID(int=922)
ABSURD, PLAIN, ABANDONED, RELEASED, OPEN = (UUID(int=930 + number) for number in range(5))
HOLD_NANO = 60
GRANTED_NANO = 400
PRICE = PriceText(input="0.001", cached_input="0.001", cache_write="0.001", output="0.002", request="0")


class ChargeWorld:
    """A token of a prompt costs one nano-credit, one of an answer two; 60 are held for each request."""

    def __init__(
        self, *, approval_nano: int = 1_000, ports: Ports | None = None, account_id: UUID | None = None
    ) -> None:
        """With the ports of another log, also of an account that is open there already."""
        self.ports: Ports = msgspec.structs.replace(ports or memory_ports(), approval_nano=approval_nano)
        self._lease = Lease(LEASE)
        self.account_id = account_id or self._account()
        command = publish_prices.PublishPrices(entries={"big": PRICE}, note="test")
        self.version = publish_prices.handle(command, actor=SYSTEM, ports=self.ports).version
        grant = GrantCredit(
            account_id=self.account_id,
            lot_id=LOT,
            amount_nano=GRANTED_NANO,
            source="paid",
            reason="paid",
            granted_by="system",
        )
        grant_credit(grant, store=self.ports.store, clock=self.ports.clock)
        self._serve()

    @property
    def wallet(self) -> Wallet:
        return load_wallet(self.ports.store, self.account_id).wallet

    def events(self) -> list[Event]:
        assert isinstance(self.ports.store, MemoryEventStore)
        return [REGISTRY.decode(one.topic, one.state) for one in self.ports.store.log]

    def verified(self) -> Report:
        return verify(self.ports.store, REGISTRY)

    def review(self, request_id: UUID, amount_nano: int | None = None, *, by: Actor = FIRST) -> Reviewed:
        command = ReviewCharge(request_id=request_id, reason="counted wrongly", amount_nano=amount_nano)
        return review_charge.handle(command, actor=by, ports=self.ports)

    def dispute(
        self, request_id: UUID, cause: DisputeCause = "counted-wrongly", remark: str | None = None
    ) -> Done:
        command = DisputeCharge(account_id=self.account_id, request_id=request_id, cause=cause, remark=remark)
        return dispute_charge.handle(command, actor=ADA, ports=self.ports)

    def told(
        self, request_id: UUID, output: int, *, report_ref: str = "r-1", by: Actor = FIRST
    ) -> UsageTaken:
        command = ReportLateUsage(
            request_id=request_id, served_by="acme", report_ref=report_ref, reason="told late", output=output
        )
        return report_usage.handle(command, actor=by, ports=self.ports)

    def drain(self) -> None:
        """An operator takes all that is available."""
        command = AdjustCredit(
            account_id=self.account_id,
            direction="debit",
            amount_nano=self.wallet.available_nano,
            reason="test",
        )
        adjust_credit.handle(command, actor=FIRST, ports=self.ports)

    def _account(self) -> UUID:
        return open_account.handle(open_account.OpenAccount(name="Ada"), actor=SYSTEM, ports=self.ports).id

    # --- how the requests went

    def _serve(self) -> None:
        lent_nano, now_us = 5 * HOLD_NANO, self.ports.clock.now_us()
        wallet = self.wallet
        granted = lending.grant_lease(
            wallet,
            account_id=self.account_id,
            lease_id=LEASE,
            owner=Owner(KEY, 1),
            mode="bulk",
            amount_nano=lent_nano,
            now_us=now_us,
        )
        stream = wallet_stream(self.account_id)
        self.ports.store.append([new_event(stream, wallet.version + 1, granted[0])])
        self._on_lease(
            leasing.open_lease(
                self._lease,
                account_id=self.account_id,
                owner=Owner(KEY, 1),
                amount_nano=lent_nano,
                valid_ms=10_000,
                now_us=now_us,
            )
        )
        for request_id in (ABSURD, PLAIN, ABANDONED, RELEASED, OPEN):
            self._admit(request_id)
        self._charge(ABSURD, Units(input=2, output=29), flags=("absurd", "clamped"))
        self._charge(PLAIN, Units(input=2, output=10))
        self._on_lease(
            lease_rules.release(
                self._lease,
                request_id=RELEASED,
                key_id=KEY,
                alias="big",
                code="upstream_timeout",
                attempts=(),
                total_ms=1,
                now_us=now_us,
            )
        )

    def end_lease(self) -> None:
        """The gateway dies with what is open: it is abandoned, and the credit comes back."""
        now_us = self.ports.clock.now_us()
        ending = leasing.fence(self._lease, by=Owner(KEY, 2), reason="dead", now_us=now_us)
        wallet = self.wallet
        settled = lending.settle_lease(
            wallet,
            account_id=self.account_id,
            lease_id=LEASE,
            outcome="fenced",
            charged_nano=self._lease.charged_nano,
            charges=self._lease.charges,
            last_version=self._lease.version + len(ending),
            now_us=now_us,
        )
        self._on_lease(ending)
        self.ports.store.append([new_event(wallet_stream(self.account_id), wallet.version + 1, settled[0])])

    def _admit(self, request_id: UUID) -> None:
        self._on_lease(
            lease_rules.admit(
                self._lease,
                request_id=request_id,
                key_id=KEY,
                alias="big",
                stream=True,
                hold_nano=HOLD_NANO,
                price_version=self.version,
                client_ref=None,
                now_us=self.ports.clock.now_us(),
            )
        )

    def _charge(self, request_id: UUID, units: Units, *, flags: tuple[str, ...] = ()) -> None:
        answer = msgspec.structs.replace(
            ANSWER, key_id=KEY, price_version=self.version, units=units, usage_flags=flags
        )
        self._on_lease(
            lease_rules.charge(
                self._lease,
                request_id=request_id,
                rated_nano=units.input + 2 * units.output,
                answer=answer,
                now_us=self.ports.clock.now_us(),
            )
        )

    def _on_lease(self, events: Sequence[Event]) -> None:
        first = self._lease.version + 1
        for event in events:
            lease_rules.evolve(self._lease, event)  # type: ignore[arg-type]  # of a lease
        self.ports.store.append(
            [new_event(LEASE, number, event) for number, event in enumerate(events, first)]
        )
