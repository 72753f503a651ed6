"""One customer's time on real processes of which some are killed, computed three times by what shares no code."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.eventstore.store import PostgresEventStore
from application.accounts import open_account
from application.adjustments import adjust_credit, void_lot
from application.catalogue import publish_prices
from application.command import Ports
from application.keys import issue_key
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.wallet_reader import load_wallet
from application.reports.period import SLOT_US, Period
from application.repricing import post_run
from application.repricing.plan import plan_repricing
from application.verify import render_text, verify
from bootstrap import ports_of
from domain.catalogue.prices import PriceText
from domain.fact import SYSTEM, Actor
from domain.ledger.credit import UNCONDITIONAL, LotConditions
from domain.ledger.lots import LotSource
from domain.repricing import RepricingQuestion
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.snapshot import ReadModelReader
from projections.statement_reader import StatementReader
from tests.cli_runner import Cli
from tests.faults.conftest import Product, kill, rows
from tests.faults.paid_order import REFUND_MINOR, PaidOrder
from tests.faults.paying_clients import ALIAS, Clients
from tests.faults.test_overspend import facts, settings_of
from tests.statements import Told, by_the_auditor, by_the_read_model
from tests.told import Tell
from tests.waiting import until

AUDIT = Path(__file__).parents[2] / "audit" / "tokenok_audit.py"
ALWAYS = Period(from_us=0, until_us=2**62 // SLOT_US * SLOT_US)
HALF = PriceText(input="0.25", cached_input="0.025", cache_write="0.25", output="0.75", request="0")
CLIENTS, EACH, SERVED_BEFORE = 12, 5, 15
ENDING_NANO, ENDS_US = 50_000_000, 5 * 10**6
SECOND_S = 10**6
PAID_NANO, SPARE_NANO = 40_000_000, 7_000_000
GOODWILL_NANO, DEBIT_NANO = 89, 1_234_567
FIRST, SECOND = (Actor("operator", UUID(int=number)) for number in (1, 2))


class Customer:
    """An account with credit that ends soon, credit that was paid for, some of it by an order, and some to be taken back; two keys."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.refunded_nano = 0
        self.account_id = ports.ids.new()
        command = open_account.OpenAccount(name="Month", account_id=self.account_id)
        open_account.handle(command, actor=SYSTEM, ports=ports)
        ends = LotConditions(expires_us=ports.clock.now_us() + ENDS_US)
        self._grant(ENDING_NANO, "promo", ends)
        self._grant(PAID_NANO, "paid")
        self.order = PaidOrder(ports, self.account_id, by=FIRST)
        self.spare_lot_id = self._grant(SPARE_NANO, "migrated", LotConditions(priority=90))
        self.keys = [
            issue_key.handle(
                issue_key.IssueKey(account_id=self.account_id, name=name), actor=SYSTEM, ports=ports
            )
            for name in ("first", "second")
        ]

    def _grant(self, amount_nano: int, source: LotSource, conditions: LotConditions = UNCONDITIONAL) -> UUID:
        lot = GrantCredit(
            account_id=self.account_id,
            lot_id=self._ports.ids.new(),
            amount_nano=amount_nano,
            source=source,
            reason="month",
            granted_by="test",
            conditions=conditions,
        )
        grant_credit(lot, store=self._ports.store, clock=self._ports.clock)
        return lot.lot_id

    def is_at_rest(self) -> bool:
        """Nothing of it is lent to any process."""
        return not load_wallet(self._ports.store, self.account_id).wallet.leases

    def correct(self) -> None:
        """A refund, goodwill, a debit, a lot that is taken back, and everything by half the price."""
        self.refunded_nano = self.order.refund()
        for direction, amount_nano in (("credit", GOODWILL_NANO), ("debit", DEBIT_NANO)):
            adjust_credit.handle(
                adjust_credit.AdjustCredit(
                    account_id=self.account_id,
                    direction=direction,  # type: ignore[arg-type]  # one of the two
                    amount_nano=amount_nano,
                    reason="month",
                ),
                actor=FIRST,
                ports=self._ports,
            )
        void = void_lot.VoidLot(account_id=self.account_id, lot_id=self.spare_lot_id, reason="month")
        void_lot.handle(void, actor=FIRST, ports=self._ports)
        self._reprice()

    def _reprice(self) -> None:
        ports = self._ports
        prices = publish_prices.PublishPrices(entries={ALIAS: HALF}, note="half")
        version = publish_prices.handle(prices, actor=FIRST, ports=ports).version
        question = RepricingQuestion(alias=ALIAS, from_us=0, until_us=2**62, new_price_version=version)
        plan = plan_repricing(ports.store, question)
        assert plan.credit_nano
        posted = post_run.handle(
            post_run.PostRepricing(
                plan=plan.sha256,
                alias=ALIAS,
                from_us=0,
                until_us=2**62,
                new_price_version=version,
                reason="too dear",
            ),
            actor=FIRST,
            ports=ports,
        )
        assert posted.posted


def _kill_all_gateways(product: Product) -> None:
    """The supervisor starts others."""
    for pid in product.pids("gateway_main"):
        kill(pid)


async def _under_load(product: Product, clients: Clients) -> None:
    """All gateways die while requests are open; others take over, and every client has its answers in the end."""
    running = asyncio.create_task(clients.run("before", clients=CLIENTS, each=EACH))
    await clients.have_answers(SERVED_BEFORE)
    _kill_all_gateways(product)
    await running


def _read(product: Product, account_id: UUID) -> Told:
    """What the worker's read models say, once they are at the end of the log. They verify."""
    url = product.ready["database_url"]
    with PostgresEventStore(url) as store, projection_pool(url, size_max=2) as pool:
        head = store.head_position()
        until(lambda: min(rows(product, "SELECT min(position) FROM projections")[0]) >= head)
        report = verify(store, REGISTRY, ReadModelReader(pool))
        assert report.ok, render_text(report)
        return by_the_read_model(StatementReader(pool).statement(account_id, ALWAYS, limit=500))


def _audited(product: Product, account_id: UUID, place: Path) -> Told:
    """What the audit program says of the export, both as an auditor runs them."""
    settings = settings_of(product)
    tokenok = Cli(DATABASE_URL=settings.database_url, TOKENOK_MASTER_KEY=settings.tokenok_master_key)
    tokenok.json("export", "ledger", "--out", str(place))
    command = [
        sys.executable,
        "-I",
        str(AUDIT),
        str(place),
        "--unsigned",
        "--json",
        "--account",
        str(account_id),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: Any = json.loads(done.stdout)
    return by_the_auditor(result["statement"])


@pytest.mark.slow  # two starts of everything, and a month's worth of rewriting it
def test_a_crash_in_the_middle_changes_no_computation(product: Product, tmp_path: Path, tell: Tell) -> None:
    """Read model, audit program and the customers' own answers agree to the nano-credit, key by key.

    Over lots one of which ends, processes that are killed while they serve, an order that is refunded in part, goodwill, a debit, a lot
    taken back and a repricing.
    """
    with ports_of(settings_of(product)) as ports:
        customer = Customer(ports)
        paying = [Clients(product.ready["base_url"], one.secret.reveal()) for one in customer.keys]
        asyncio.run(_under_load(product, paying[0]))
        until(lambda: facts(product, "wallet.credit-lot-expired.v1", str(customer.account_id)))
        asyncio.run(paying[1].run("after", clients=2, each=2))
        _kill_all_gateways(product)
        until(customer.is_at_rest)
        customer.correct()
        until(lambda: facts(product, "credit-note.issued.v1", str(customer.account_id)))
    read = _read(product, customer.account_id)
    assert read == _audited(product, customer.account_id, tmp_path / "export")

    told = {
        str(one.key_id): -clients.charged_nano for one, clients in zip(customer.keys, paying, strict=True)
    }
    assert read.charged_nano == told
    abandoned = facts(product, "lease.request-abandoned.v1", str(customer.account_id))
    assert abandoned, "nothing was open when the gateways died"
    assert paying[0].broken
    assert read.totals_nano.keys() == {"grant", "charge", "expiry", "adjustment", "void", "refund"}
    granted_nano = ENDING_NANO + PAID_NANO + SPARE_NANO + customer.order.credits_nano
    assert read.totals_nano["grant"] == granted_nano
    assert read.totals_nano["refund"] == -customer.refunded_nano
    assert read.totals_nano["void"] == -SPARE_NANO
    assert read.closing_nano == sum(read.totals_nano.values()) >= 0
    (note,) = facts(product, "credit-note.issued.v1", str(customer.account_id))
    assert note["total_minor"] == REFUND_MINOR
    tell(
        f"{sum(one.answers for one in paying)} answers, {paying[0].broken} tries without one, {len(abandoned)} requests "
        f"abandoned by dead processes; charged {-sum(told.values())} nano-credits by all three computations"
    )
