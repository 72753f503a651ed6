"""Facts that somebody gets a mail about."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from application.accounts import set_contact
from application.budgets import set_budget
from application.budgets.raise_alerts import Crossing, raise_alerts
from application.command import Ports, new_event
from application.invoicing import erase_billing, set_billing, set_invoicing
from application.mail.follow import MailFollower
from application.mail.letters import (
    BalanceLow,
    BudgetReached,
    CreditNoteSent,
    InvoiceSent,
    ReceiptSent,
    RefundAccepted,
    RefundDeclined,
)
from application.mail.occasions import Writer
from application.mail.outbox import Mail
from application.mail.recipients import Addressees
from application.members.stream import decide_members
from application.people.email import seal_email
from application.refunds import accept_request, decline_request, file_request
from domain import members
from domain.balance_alerts import BalanceLowCrossed, crossing_stream
from domain.fact import SYSTEM, Actor, Stamp
from domain.invoicing.parties import TaxId
from domain.members import MemberRole
from tests.application.invoicing.world import ACCOUNT, SELLER, credit, furnish, issue
from tests.application.recharge.test_orders import settled
from tests.application.recharge.world import furnish as furnish_orders
from tests.application.recharge.world import ordered
from tests.domain.recharge.orders import ACCOUNT as BUYER
from tests.domain.recharge.orders import ORDER
from tests.fakes import NOON_US, MemoryOutbox, memory_ports


class Mark:
    def __init__(self) -> None:
        self.at: int | None = None

    def read(self) -> int | None:
        return self.at

    def move(self, position: int) -> None:
        self.at = max(position, self.at or 0)


class Choices:
    def __init__(self) -> None:
        self.locales: dict[UUID, str] = {}

    def locale_of(self, person_id: UUID) -> str | None:
        return self.locales.get(person_id)


class Desk:
    """A follower at work on memory ports. It has begun before anything happened."""

    def __init__(self, ports: Ports, *, console_url: str = "https://console.example.com") -> None:
        self.ports, self.mark, self.choices = ports, Mark(), Choices()
        addressees = Addressees(store=ports.store, personal=ports.personal, preferences=self.choices)
        self.follower = MailFollower(
            store=ports.store,
            bookmark=self.mark,
            writer=Writer(addressees=addressees, console_url=console_url),
            outbox=ports.outbox,
            clock=ports.clock,
        )
        self.follower.follow()

    def mails(self) -> list[Mail]:
        """After everything was read."""
        while self.follower.follow():
            pass
        assert isinstance(self.ports.outbox, MemoryOutbox)
        return list(self.ports.outbox.mails.values())


@pytest.fixture
def desk() -> Desk:
    return Desk(furnish(memory_ports()))


def bill(ports: Ports, *, email: str = "") -> None:
    command = set_billing.SetBilling(
        account_id=ACCOUNT, buyer_name="Ada", address=("x",), country="DE", email=email
    )
    set_billing.handle(command, actor=SYSTEM, ports=ports)


def join(ports: Ports, number: int, role: MemberRole) -> UUID:
    """A member with an address."""
    person_id = UUID(int=number)
    pii = seal_email(ports.personal, person_id, f"{role}@example.com")
    owner, at = Actor("system"), Stamp(now_us=NOON_US + number, actor="system")

    def decide(state: members.Members) -> list[Any]:
        invited: Any = members.invite(
            state,
            account_id=ACCOUNT,
            invitation_id=UUID(int=1000 + number),
            role=role,
            secret_hash=str(number),
            by=owner,
            stamp=at,
        )
        joined = members.join(
            members.evolve(state, invited[0]),
            account_id=ACCOUNT,
            secret_hash=str(number),
            person_id=person_id,
            pii=pii,
            stamp=at,
        )
        return [*invited, *joined]

    decide_members(ports.store, ACCOUNT, decide)
    return person_id


def test_an_invoice_goes_to_the_buyer(desk: Desk) -> None:
    """To their own address, in the language of the invoice, once however often the log is read."""
    invoice = issue(desk.ports, locale="ja")
    (one,) = desk.mails()
    assert (one.to, one.locale) == ("ada@example.com", "ja")
    assert isinstance(one.letter, InvoiceSent)
    assert (one.letter.document_id, one.letter.number, one.letter.title) == (invoice, "INV-000001", "請求書")
    assert (one.letter.total_minor, one.letter.is_paid) == (11_900, True)
    desk.mark.at = 0
    assert desk.mails() == [one]


def test_a_credit_note_names_its_invoice(desk: Desk) -> None:
    """And goes where the invoice went."""
    note = credit(desk.ports, issue(desk.ports), 1_900)
    one = desk.mails()[1]
    assert isinstance(one.letter, CreditNoteSent)
    assert (one.letter.document_id, one.letter.invoice_number, one.letter.total_minor) == (
        note,
        "INV-000001",
        1_900,
    )
    assert one.to == "ada@example.com"


def test_what_a_document_calls_itself_is_the_subject() -> None:
    """Where only the tax office's own is an invoice, the mail calls it none."""
    for country, currency, kinds, title in (
        ("KR", "KRW", (), "Statement of charges"),
        ("JP", "JPY", (TaxId(kind="jp_invoice", value="T1234567890123"),), "Qualified invoice"),
    ):
        desk = Desk(furnish(memory_ports(), country=country, tax_ids=kinds))
        issue(desk.ports, currency=currency)
        letter = desk.mails()[0].letter
        assert isinstance(letter, InvoiceSent)
        assert letter.title == title


def test_without_an_address_of_the_buyer_it_goes_to_the_contact(desk: Desk) -> None:
    """Whom an operator has set."""
    bill(desk.ports)
    command = set_contact.SetContact(account_id=ACCOUNT, contact_name="Bo", email="bo@example.com")
    set_contact.handle(command, actor=SYSTEM, ports=desk.ports)
    issue(desk.ports)
    assert [one.to for one in desk.mails()] == ["bo@example.com"]


def test_without_a_contact_it_goes_to_the_members_whom_it_concerns(desk: Desk) -> None:
    """Each a mail of their own; who has no part in bills gets none, and where nobody is known nothing is sent."""
    bill(desk.ports)
    issue(desk.ports)
    assert desk.mails() == []
    roles: tuple[MemberRole, ...] = ("owner", "developer", "billing", "viewer")
    people = [join(desk.ports, number, role) for number, role in enumerate(roles, 1)]
    issue(desk.ports)
    found = desk.mails()
    assert [one.to for one in found] == ["owner@example.com", "billing@example.com"]
    assert [one.subject_id for one in found] == [people[0], people[2]]


def test_a_budget_is_told_in_the_language_of_each_reader(desk: Desk) -> None:
    """Once for each crossing; what it was of and what follows from it is said."""
    owner = join(desk.ports, 1, "owner")
    join(desk.ports, 2, "admin")
    desk.choices.locales[owner] = "ko-KR"
    budget_id = set_budget.handle(
        set_budget.SetBudget(
            account_id=ACCOUNT,
            amount_nano=10**9,
            window="day",
            zone="UTC",
            enforcement="hard",
            alert_percents=(80,),
        ),
        actor=SYSTEM,
        ports=desk.ports,
    ).id
    crossing = Crossing(
        budget_id=budget_id,
        account_id=ACCOUNT,
        key_id=None,
        bucket_us=0,
        percent=80,
        amount_nano=10**9,
        spent_nano=8 * 10**8,
        crossed_position=1,
        occurred_us=NOON_US,
    )

    class Crossed:
        def not_told(self, *, limit: int) -> list[Crossing]:
            return [crossing]

    for _ in range(2):
        raise_alerts(Crossed(), store=desk.ports.store)
    found = desk.mails()
    assert [(one.to, one.locale) for one in found] == [
        ("owner@example.com", "ko"),
        ("admin@example.com", "en"),
    ]
    assert found[0].letter == BudgetReached(
        percent=80,
        amount_nano=10**9,
        spent_nano=8 * 10**8,
        scope="account",
        is_hard=True,
        budgets_link=f"https://console.example.com/app/{ACCOUNT}",
    )


def test_a_low_balance_is_told_to_whom_bills_concern(desk: Desk) -> None:
    """Once for each crossing, with the way to the workspace."""
    join(desk.ports, 1, "billing")
    join(desk.ports, 2, "developer")
    crossed = BalanceLowCrossed(
        account_id=ACCOUNT,
        threshold_nano=5 * 10**9,
        balance_nano=10**9,
        crossed_position=7,
        occurred_us=NOON_US,
    )
    desk.ports.store.append([new_event(crossing_stream(ACCOUNT, 7), 1, crossed)])
    (one,) = desk.mails()
    assert one.to == "billing@example.com"
    link = f"https://console.example.com/app/{ACCOUNT}"
    assert one.letter == BalanceLow(balance_nano=10**9, threshold_nano=5 * 10**9, recharge_link=link)


def test_a_payment_without_an_invoice_gets_a_receipt() -> None:
    """With the way to a billing profile, where that brings an invoice; where the invoice comes by itself, there is no second mail."""
    for is_on, billed in ((False, True), (True, False), (True, True)):
        ports = furnish_orders(furnish(memory_ports()))
        contact = set_contact.SetContact(account_id=BUYER, contact_name="Bo", email="bo@example.com")
        set_contact.handle(contact, actor=SYSTEM, ports=ports)
        if is_on:
            set_invoicing.handle(
                set_invoicing.SetInvoicing(seller_id=SELLER, locale="ko"), actor=SYSTEM, ports=ports
            )
        if billed:
            profile = set_billing.SetBilling(account_id=BUYER, buyer_name="B", address=("x",), country="DE")
            set_billing.handle(profile, actor=SYSTEM, ports=ports)
        desk = Desk(ports)
        ordered(ports)
        settled(ports)
        found = desk.mails()
        if is_on and billed:
            assert found == []
            continue
        (one,) = found
        assert (one.to, one.locale) == ("bo@example.com", "ko" if is_on else "en")
        assert isinstance(one.letter, ReceiptSent)
        assert (one.letter.order_id, one.letter.gross_minor) == (ORDER, 11_900)
        assert bool(one.letter.billing_link) == is_on


@pytest.mark.parametrize("url", ["https://console.example.com", ""])
def test_who_asked_for_a_refund_is_told_what_became_of_it(url: str) -> None:
    """What goes back and how, or why nothing does; once, to whom bills concern."""
    desk = Desk(furnish_orders(memory_ports()), console_url=url)
    desk.ports = replace(desk.ports, approval_nano=10**15)
    set_contact.handle(
        set_contact.SetContact(account_id=BUYER, contact_name="Ada", email="ada@example.com"),
        actor=SYSTEM,
        ports=desk.ports,
    )
    ordered(desk.ports)
    settled(desk.ports)
    for refund_id in (UUID(int=1), UUID(int=2)):
        wish = file_request.FileRefundRequest(order_id=ORDER, reason="other", refund_id=refund_id)
        file_request.handle(wish, actor=SYSTEM, ports=desk.ports)
        if refund_id.int == 1:
            no = decline_request.DeclineRefundRequest(order_id=ORDER, refund_id=refund_id, reason="too late")
            decline_request.handle(no, actor=SYSTEM, ports=desk.ports)
        else:
            yes = accept_request.AcceptRefundRequest(order_id=ORDER, refund_id=refund_id, amount_minor=1_190)
            accept_request.handle(yes, actor=SYSTEM, ports=desk.ports)
    _, declined, accepted = (one.letter for one in desk.mails())
    assert isinstance(declined, RefundDeclined)
    assert isinstance(accepted, RefundAccepted)
    link = f"{url}/app/{BUYER}/orders/{ORDER}" if url else ""
    assert (declined.reason, declined.order_link) == ("too late", link)
    assert (accepted.amount_minor, accepted.by_transfer, accepted.order_link) == (1_190, True, link)


def test_nobody_gets_mails_about_the_past() -> None:
    """Where mail is set up on an installation that has run for years."""
    ports = furnish(memory_ports())
    issue(ports)
    desk = Desk(ports)
    assert desk.mails() == []
    issue(ports)
    assert len(desk.mails()) == 1


def test_who_was_erased_gets_nothing(desk: Desk) -> None:
    """Between the fact and its mail, too."""
    issue(desk.ports)
    command = erase_billing.EraseBilling(account_id=ACCOUNT, reason="asked for")
    erase_billing.handle(command, actor=SYSTEM, ports=desk.ports)
    assert desk.mails() == []


def test_an_address_that_cannot_be_used_holds_nobody_up(desk: Desk) -> None:
    """It is said, without the address, and the next one gets theirs."""
    bill(desk.ports, email="a,b@example.com")
    issue(desk.ports)
    bill(desk.ports, email="ada@example.com")
    issue(desk.ports)
    with capture_logs() as logged:
        assert [one.to for one in desk.mails()] == ["ada@example.com"]
    assert [(one["event"], one["code"]) for one in logged] == [("mail_not_put", "invalid_value")]
    assert "example" not in str(logged)
