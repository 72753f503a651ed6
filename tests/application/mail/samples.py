"""One letter of each kind, and mails that carry them."""

from typing import Any, Final
from uuid import UUID

from application.mail import letters
from application.mail.letters import AnyLetter
from application.mail.outbox import Mail
from tests.fakes import NOON_US

MAIL, SUBJECT, DOCUMENT = (UUID(int=number) for number in (0x3A11, 0x5B, 0xD0C))
LINK: Final = "https://console.example.com/x?t=1"
LETTERS: Final[tuple[AnyLetter, ...]] = (
    letters.VerifyEmail(link=LINK, valid_minutes=30),
    letters.AlreadyRegistered(sign_in_link=LINK, reset_link=LINK),
    letters.ResetPassword(link=LINK, valid_minutes=1),
    letters.PasswordChanged(at_us=NOON_US, zone="Asia/Tokyo", reset_link=LINK),
    letters.ConfirmAddress(link=LINK, valid_minutes=1440),
    letters.AddressTaken(sign_in_link=LINK),
    letters.AddressChanged(at_us=NOON_US, zone="Asia/Tokyo", link=LINK, valid_minutes=4320),
    letters.PasskeyAdded(at_us=NOON_US, zone="Asia/Tokyo", passkeys_link=LINK),
    letters.PasskeyRemoved(at_us=NOON_US, zone="Asia/Tokyo", passkeys_link=LINK),
    letters.SecondFactorChanged(change="on", at_us=NOON_US, zone="Asia/Tokyo", reset_link=LINK),
    letters.SecondFactorChanged(change="off", at_us=NOON_US, zone="Asia/Tokyo", reset_link=LINK),
    letters.SecondFactorChanged(change="recovery_codes", at_us=NOON_US, zone="Asia/Tokyo", reset_link=LINK),
    letters.NewSignIn(
        at_us=NOON_US, zone="UTC", address="203.0.113.7", agent="Firefox on Linux", sessions_link=LINK
    ),
    letters.Invitation(role="billing", link=LINK, expires_us=NOON_US, zone="UTC", workspace="Acme"),
    letters.Invitation(role="operator", link=LINK, expires_us=NOON_US, zone="UTC"),
    letters.InvoiceSent(
        document_id=DOCUMENT,
        title="Invoice",
        number="INV-000001",
        issued_on="2025-11-24",
        total_minor=11_900,
        currency="EUR",
        exponent=2,
        is_paid=True,
    ),
    letters.InvoiceSent(
        document_id=DOCUMENT,
        title="Invoice",
        number="INV-000002",
        issued_on="2025-11-25",
        total_minor=5_000,
        currency="EUR",
        exponent=2,
        is_paid=True,
        note_number="CN-000001",
    ),
    letters.CreditNoteSent(
        document_id=DOCUMENT,
        title="Credit note",
        number="CN-000001",
        issued_on="2025-11-24",
        invoice_number="INV-000001",
        total_minor=5_000,
        currency="JPY",
        exponent=0,
    ),
    letters.ReceiptSent(
        order_id=DOCUMENT,
        reference="TK-4F7Q-92KD",
        paid_on="2025-11-24",
        gross_minor=11_900,
        currency="EUR",
        exponent=2,
        credits_nano=100_000_000_000,
        billing_link=LINK,
    ),
    letters.RefundAccepted(
        reference="TK-4F7Q-92KD",
        amount_minor=5_950,
        currency="EUR",
        exponent=2,
        by_transfer=False,
        order_link=LINK,
    ),
    letters.RefundAccepted(
        reference="TK-4F7Q-92KD", amount_minor=5_950, currency="JPY", exponent=0, by_transfer=True
    ),
    letters.RefundAccepted(
        reference="TK-4F7Q-92KD",
        amount_minor=5_950,
        currency="EUR",
        exponent=2,
        by_transfer=True,
        set_off=True,
    ),
    letters.InvoiceSent(
        document_id=DOCUMENT,
        title="Invoice",
        number="INV-000002",
        issued_on="2025-11-24",
        total_minor=11_900,
        currency="EUR",
        exponent=2,
        is_paid=False,
        due_on="2025-12-24",
        reference="TK-4F7Q-92KD",
    ),
    letters.ReceiptSent(
        order_id=DOCUMENT,
        reference="TK-4F7Q-92KD",
        paid_on="2025-11-24",
        gross_minor=11_900,
        currency="EUR",
        exponent=2,
        credits_nano=100_000_000_000,
        on_account=True,
    ),
    *(
        letters.PaymentDue(
            is_overdue=is_overdue,
            reference="TK-4F7Q-92KD",
            amount_minor=11_900,
            currency="EUR",
            exponent=2,
            due_on="2025-12-24",
            order_link=LINK,
        )
        for is_overdue in (False, True)
    ),
    letters.RefundDeclined(reference="TK-4F7Q-92KD", reason="used up since", order_link=LINK),
    letters.BudgetReached(
        percent=80, amount_nano=10**10, spent_nano=8 * 10**9, scope="key", is_hard=True, budgets_link=LINK
    ),
    letters.BudgetReached(percent=100, amount_nano=10**10, spent_nano=10**10, scope="account", is_hard=False),
    letters.BalanceLow(balance_nano=10**9, threshold_nano=5 * 10**9, recharge_link=LINK),
    *(
        letters.AutoRechargeTrouble(
            what=what,
            amount_minor=11_900,
            currency="EUR",
            exponent=2,
            retry_us=NOON_US if what == "declined" else None,
            zone="Asia/Tokyo",
            recharge_link=LINK,
        )
        for what in ("declined", "off", "needs_customer", "cap_reached", "not_offered")
    ),
    letters.MailCheck(),
)


def mail(letter: AnyLetter | None = None, **changes: Any) -> Mail:
    given: dict[str, Any] = {
        "mail_id": MAIL,
        "subject_id": SUBJECT,
        "to": "ada@example.com",
        "locale": "en",
        "letter": letter or letters.ResetPassword(link=LINK, valid_minutes=30),
    }
    return Mail(**(given | changes))
