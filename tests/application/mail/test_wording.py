"""What mails say."""

import msgspec
import pytest

from application.i18n.locales import LOCALES, Locale
from application.mail import letters
from application.mail.letters import AnyLetter, links_of, template_of
from application.mail.message import Message
from application.mail.wording import message_of
from tests.application.mail.samples import LETTERS, LINK
from tests.fakes import NOON_US


def said(letter: AnyLetter, locale: Locale = "en") -> Message:
    return message_of(letter, locale, sender="Example AI")


def whole(message: Message) -> str:
    return msgspec.json.encode(message).decode()


def test_there_is_a_sample_of_every_letter() -> None:
    """So that the tests here are about all of them; each is kept and read back as itself."""
    assert {type(one) for one in LETTERS} == set(AnyLetter.__args__)
    for one in LETTERS:
        assert msgspec.json.decode(msgspec.json.encode(one), type=AnyLetter) == one
    assert len({template_of(one) for one in LETTERS}) == len(AnyLetter.__args__)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_letter_is_written_in_every_language(locale: Locale) -> None:
    """With every link that it holds behind a button, and nothing of English left in the others."""
    for letter in LETTERS:
        message = said(letter, locale)
        assert message.subject
        assert message.subject.isprintable()
        assert all(message.paragraphs)
        assert {one.link for one in message.buttons} == set(filter(None, links_of(letter)))
        if locale != "en":
            english = said(letter, "en")
            assert message.paragraphs != english.paragraphs
            assert message.closing != english.closing


def test_figures_are_written_as_the_language_does() -> None:
    """With currency, decimals and days of the reader."""
    invoice = next(one for one in LETTERS if isinstance(one, letters.InvoiceSent))
    assert said(invoice).facts == (
        ("Number", "INV-000001"),
        ("Date", "November 24, 2025"),
        ("Total", "€119.00"),
    )
    assert said(invoice, "ja").facts[1][1] == "2025年11月24日"
    changed = letters.PasswordChanged(at_us=NOON_US, zone="Asia/Tokyo", reset_link=LINK)
    assert said(changed).facts == (("When", "November 25, 2025 1:00 AM (Asia/Tokyo)"),)
    one_minute = letters.VerifyEmail(link=LINK, valid_minutes=1)
    assert "for 1 minute." in whole(said(one_minute))
    a_day = letters.VerifyEmail(link=LINK, valid_minutes=24 * 60)
    assert "for 24 hours." in whole(said(a_day))


@pytest.mark.parametrize("locale", LOCALES)
def test_what_others_chose_is_text_and_no_link(locale: Locale) -> None:
    """A workspace that is called like an address invites to nothing; it is not in the subject either."""
    hostile = "Win at evil.example https://evil.example/a\r\nBcc: eve@evil.example"
    letter = letters.Invitation(role="owner", link=LINK, expires_us=NOON_US, zone="UTC", workspace=hostile)
    message = said(letter, locale)
    assert "evil.example" not in whole(message)
    assert "://evil" not in whole(message)
    assert "evil" not in message.subject
    assert all(one.isprintable() or "\u2060" in one for one in message.paragraphs)
    assert "\n" not in "".join(message.paragraphs)


def test_a_budget_says_what_follows() -> None:
    """Whether requests are refused, and of what it is."""
    budget = {"percent": 100, "amount_nano": 10**9, "spent_nano": 10**9}
    hard = said(letters.BudgetReached(scope="account", is_hard=True, **budget))
    soft = said(letters.BudgetReached(scope="key", is_hard=False, **budget))
    assert hard.subject == "A budget is used up"
    assert hard.paragraphs == (
        "Your account has spent 100% of its budget.",
        "Requests that do not fit into it are refused.",
    )
    assert soft.paragraphs == (
        "An API key of your account has spent 100% of its budget.",
        "Nothing is refused because of it.",
    )
    assert soft.facts == (("Budget", "1.00 credits"), ("Spent", "1.00 credits"))


def test_a_receipt_offers_an_invoice_where_one_can_be_had() -> None:
    """And says nothing of it otherwise."""
    receipt = next(one for one in LETTERS if isinstance(one, letters.ReceiptSent))
    assert said(receipt).notes
    plain = said(msgspec.structs.replace(receipt, billing_link=""))
    assert (plain.notes, plain.buttons) == ((), ())
