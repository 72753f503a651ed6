"""From a payment provider's message to the mail with the invoice, with a crash at every step between: on a real Postgres, with a real mail
server, by the worker's own code.
"""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from adapters.checkout.inbox import PostgresWebhookInbox
from adapters.documents.kept import PostgresKeptFiles
from adapters.mail.bookmark import PostgresBookmark
from adapters.mail.mime import write_mail
from adapters.mail.preferences import PostgresPreferences
from adapters.mail.smtp import SmtpServer, SmtpTransport
from application.checkout.handle import WebhookTools, handle_due
from application.checkout.ports import Checkouts
from application.command import Ports
from application.documents.page import Page
from application.invoicing.clerk import Clerk
from application.invoicing.files import DocumentFiles
from application.invoicing.order_receipts import OrderReceipts
from application.invoicing.queries import invoice_of
from application.invoicing.set_billing import SetBilling
from application.invoicing.set_billing import handle as set_billing
from application.invoicing.set_invoicing import SetInvoicing
from application.invoicing.set_invoicing import handle as set_invoicing
from application.invoicing.streams import load_document, load_seller
from application.ledger.wallet_reader import load_wallet
from application.mail.deliver import Delivery
from application.mail.enclosures import Enclosures
from application.mail.follow import MailFollower
from application.mail.message import Letterhead
from application.mail.occasions import Writer
from application.mail.recipients import Addressees
from application.recharge.settle_order import SettleOrder
from application.recharge.settle_order import handle as settle
from bootstrap import make_ports, open_pool, open_store
from domain.fact import SYSTEM
from domain.ids import stream_of
from domain.topics import REGISTRY
from paperwork import Paperwork
from projections.document_reader import DocumentReader
from projections.documents import Documents
from projections.pool import projection_pool
from projections.runner import Runner
from projections.tail import PlainReader
from settings import BadSetting, Settings
from tests.adapters.mail.server import Serving, serving
from tests.application.checkout.provider import FakeProvider, deliver, message
from tests.application.invoicing.world import SELLER
from tests.application.invoicing.world import furnish as furnish_seller
from tests.application.recharge.world import ANNA, furnish, ordered
from tests.databases import migrated_template
from tests.domain.recharge.orders import ACCOUNT, seen
from tests.fakes import ManualClock
from tests.waiting import until

MASTER_KEY: Final = f"k1:{base64.b64encode(bytes(range(32))).decode()}"
CRASHES_MAX: Final = 200
_EACH_NANO: Final = 100_000_000_000


class Killed(BaseException):
    """Nothing catches it."""


class Fate:
    """Counts steps, and ends the process at one of them."""

    def __init__(self) -> None:
        self.step, self.dies_at, self.died = 0, 0, ""

    def tick(self, name: str) -> None:
        self.step += 1
        if self.step == self.dies_at:
            self.died = name
            raise Killed(name)


class Mortal:
    """Whatever it stands for, with a step before and behind each call that leaves something."""

    def __init__(self, inner: Any, fate: Fate, *calls: str) -> None:
        self._inner, self._fate, self._calls = inner, fate, calls

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        if name not in self._calls:
            return call

        def stepping(*args: Any, **more: Any) -> Any:
            self._fate.tick(f"before {name}")
            done = call(*args, **more)
            self._fate.tick(f"behind {name}")
            return done

        return stepping


class Press:
    """Prints what a page says, in no time."""

    def print_pdf(self, page: Page) -> bytes:
        return b"%PDF-" + msgspec.json.encode(page)


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


class Site:
    """An installation that sells credit through a provider, and sends mail."""

    def __init__(self, database_url: str, server: Serving, stack: ExitStack) -> None:
        self.settings = Settings(database_url=database_url, tokenok_master_key=MASTER_KEY, mail_dir="unused")
        self.store = stack.enter_context(open_store(self.settings))
        self.pool = stack.enter_context(open_pool(self.settings))
        self.rows = stack.enter_context(projection_pool(database_url, size_max=2))
        self.clock, self.provider, self.server = ManualClock(), FakeProvider(), server
        self.fate = Fate()
        self.ports = furnish(self.new_ports())
        furnish_seller(self.ports)
        buyer = SetBilling(
            account_id=ACCOUNT,
            buyer_name="Ada",
            address=("x",),
            country="DE",
            email="ada@example.com",
        )
        set_billing(buyer, actor=SYSTEM, ports=self.ports)
        set_invoicing(SetInvoicing(seller_id=SELLER), actor=SYSTEM, ports=self.ports)
        self.new_process()
        self.follower.follow()  # mail is new here: it begins now

    def new_ports(self) -> Ports:
        made = make_ports(self.settings, store=self.store, pool=self.pool, clock=self.clock)
        inbox = PostgresWebhookInbox(self.pool, made.personal)
        return replace(
            made,
            store=Mortal(self.store, self.fate, "append"),
            outbox=Mortal(made.outbox, self.fate, "put", "claim", "hand_over", "settle"),
            inbox=Mortal(inbox, self.fate, "put", "claim", "settle"),
            checkouts=Checkouts([self.provider]),
        )

    def new_process(self) -> None:
        """All that a worker has in memory, anew."""
        ports = self.ports = self.new_ports()
        kept: Any = Mortal(PostgresKeptFiles(self.pool), self.fate, "put")
        files = DocumentFiles(
            store=ports.store,
            personal=ports.personal,
            printer=Press(),
            attach=lambda pdf, _xml: pdf,
            kept=kept,
            clock=self.clock,
        )
        choices = PostgresPreferences(self.pool)
        bookmark: Any = Mortal(PostgresBookmark(self.pool), self.fate, "move")
        self.webhooks = WebhookTools(
            checkouts=ports.checkouts, queue=ports.inbox, store=ports.store, clock=self.clock
        )
        self.clerk = Clerk(documents=DocumentReader(self.rows), languages=choices, ports=ports)
        self.follower = MailFollower(
            store=ports.store,
            bookmark=bookmark,
            writer=Writer(
                addressees=Addressees(store=ports.store, personal=ports.personal, preferences=choices)
            ),
            outbox=ports.outbox,
            clock=self.clock,
        )
        receipts = OrderReceipts(store=ports.store, names=ports.names, printer=Press(), files=files)
        self.delivery = Delivery(
            outbox=ports.outbox,
            transport=SmtpTransport(SmtpServer(host="127.0.0.1", port=self.server.port, tls="none")),
            letterhead=Letterhead(name="Us", address="us@example.com"),
            write=write_mail,
            enclose=Enclosures(files=files, receipts=receipts),
            clock=self.clock,
        )

    def project(self) -> None:
        Runner(
            pool=self.rows,
            reader=PlainReader(self.store),
            registry=REGISTRY,
            projections=[Documents()],
            clock=self.clock,
        ).catch_up(Documents.name)

    def work(self) -> None:
        """A round of everything that a worker does, until nothing is left."""
        _all(lambda: handle_due(self.webhooks))
        self.project()
        _all(self.clerk.issue_due)
        _all(self.follower.follow)
        _all(self.delivery.deliver_due)

    def pass_time(self) -> None:
        """Whatever a dead process held is free again."""
        self.clock.move(3_600)
        with psycopg.connect(self.settings.database_url) as connection:
            connection.execute("UPDATE webhook_inbox SET next_at = clock_timestamp() WHERE state = 'waiting'")

    def numbers(self) -> list[int]:
        series = load_seller(self.store, SELLER).newest("invoice").series_id
        return [one.version for one in self.store.read_stream(series)]

    def arrived(self, order_id: UUID) -> int:
        document = load_document(self.store, invoice_of(order_id))
        assert document is not None
        number = document.issued.number_text
        return [one["subject"] for one in self.server.post.mails()].count(f"Invoice {number}")


def _all(do: Callable[[], int]) -> None:
    while do():
        pass


@contextmanager
def site_on(database_url: str) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(database_url, stack.enter_context(serving()), stack)


def bought(site: Site, number: int) -> UUID:
    """An order whose payment the provider has."""
    order_id = UUID(int=0xB000 + number)
    ordered(site.ports, provider="stripe", order_id=order_id)
    site.provider.objects[f"cs_{number}"] = (seen(order_id=order_id, payment_ref=f"pi_{number}"),)
    return order_id


def live(site: Site, number: int, *, dies_at: int) -> str:
    """One message to its end, by processes of which the first dies at a step; the name of that step."""
    site.fate.step, site.fate.dies_at, site.fate.died = 0, dies_at, ""
    is_thanked = False
    for _ in range(2):
        try:
            if not is_thanked:  # or else the provider sends it again
                deliver(site.ports, message(f"evt_{number}", f"cs_{number}"))
                is_thanked = True
            site.work()
            break
        except Killed:
            site.fate.dies_at = 0
            site.new_process()
            site.pass_time()
    site.fate.dies_at = 0
    site.pass_time()
    site.work()
    return site.fate.died


def test_a_crash_at_any_step_leaves_one_credit_one_invoice_and_one_mail(
    database_url: str, tell: Callable[[str], None]
) -> None:
    """Each order is credited once and has one invoice; numbers have no gap; its mail arrives once, or is parked, and said so, where only
    the next server could know: then an operator has it sent.
    """
    with site_on(database_url) as site:
        steps: list[str] = []
        not_known: list[str] = []
        for number in range(1, CRASHES_MAX):
            order_id = bought(site, number)
            died = live(site, number, dies_at=number)
            mail_id = stream_of(invoice_of(order_id), "mail:buyer")
            row = site.ports.outbox.find(mail_id)
            assert row is not None, died
            if row.state == "parked" and not site.arrived(order_id):
                not_known.append(died)
                site.ports.outbox.retry(mail_id, now_us=site.clock.us)
                site.work()
            assert site.arrived(order_id) == 1, died
            assert load_wallet(site.store, ACCOUNT).wallet.granted_nano == number * _EACH_NANO, died
            assert site.numbers() == list(range(1, number + 1)), died
            if not died:
                break
            steps.append(died)
        assert not died, "it never came to its end"
        assert not_known == ["behind hand_over"]
        assert {one.partition(" ")[2] for one in steps} == {
            "append",
            "put",
            "claim",
            "hand_over",
            "settle",
            "move",
        }
        tell(f"{len(steps)} crashes, one at each step: {len(steps) + 1} orders, invoices and mails")


@pytest.mark.slow
def test_a_worker_that_is_killed_when_the_mail_has_arrived_sends_no_second_one(
    database_url: str, redis_url: str
) -> None:
    """The process itself, with the real printer: killed by the mail server between having the mail and saying so."""
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        site = Site(database_url, server, stack)
        first = _start(site, redis_url, server, stack)
        pids = [first.pid]
        server.post.on_arrival = lambda: os.kill(pids.pop(), signal.SIGKILL) if pids else None
        orders = [UUID(int=0xC001), UUID(int=0xC002)]
        _pay(site, orders[0])
        until(lambda: first.poll() is not None)
        assert site.arrived(orders[0]) == 1
        second = _start(site, redis_url, server, stack)
        _pay(site, orders[1])
        until(lambda: len(server.post.arrived) == 2)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE mail_outbox SET next_us = 0 WHERE state = 'handing_over'")
        mail_id = stream_of(invoice_of(orders[0]), "mail:buyer")
        until(lambda: _state(site, mail_id) == "parked")
        assert [site.arrived(one) for one in orders] == [1, 1]
        assert site.numbers() == [1, 2]
        pdf = next(iter(server.post.mails()[1].iter_attachments())).get_content()
        assert bytes(pdf).startswith(b"%PDF-")  # type: ignore[arg-type]  # a file
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0


def _pay(site: Site, order_id: UUID) -> None:
    ordered(site.ports, order_id=order_id)
    command = SettleOrder(
        order_id=order_id,
        payment_ref=f"B-{order_id}",
        amount_minor=11_900,
        currency="EUR",
        evidence="statement 7",
    )
    settle(command, actor=ANNA, ports=site.ports)


def _state(site: Site, mail_id: UUID) -> str | None:
    row = site.ports.outbox.find(mail_id)
    return None if row is None else row.state


def _start(site: Site, redis_url: str, server: Serving, stack: ExitStack) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "DATABASE_URL": site.settings.database_url,
        "REDIS_URL": redis_url,
        "TOKENOK_MASTER_KEY": MASTER_KEY,
        "SMTP_URL": f"smtp+insecure://127.0.0.1:{server.port}",
        "MAIL_FROM": "Us <us@example.com>",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "worker"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[1] / "src",
    )
    stack.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "wrong",
    [{"smtp_url": "smtp://u:secret@h:99999", "mail_from": "a@b.c"}, {"smtp_url": "smtp://u:secret@h"}],
)
def test_a_setting_that_cannot_be_used_is_said(wrong: dict[str, str]) -> None:
    """Before anything starts, and without the password."""
    with pytest.raises(BadSetting) as refused:
        Paperwork(Settings(tokenok_master_key=MASTER_KEY, **wrong))  # type: ignore[arg-type]  # of many kinds
    assert "secret" not in str(refused.value)


def test_without_a_master_key_there_is_no_paperwork() -> None:
    """The rest of the worker needs none; it is said."""
    with capture_logs() as logged, Paperwork(Settings(database_url="postgresql://127.0.0.1:1/x")):
        pass
    assert [one["event"] for one in logged] == ["paperwork_off"]
