"""Mails in the form of the wire."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, cast

import pytest

from adapters.mail.mime import parse_letterhead, write_mail
from application.i18n.locales import LOCALES, Locale
from application.mail import letters
from application.mail.letters import AnyLetter, links_of
from application.mail.message import Attachment, Letterhead
from application.mail.outbox import Claimed
from application.mail.wording import message_of
from tests.application.mail.samples import LETTERS, LINK, MAIL
from tests.fakes import NOON_US

US = Letterhead(name="Exämple AI 株式会社", address="billing@example.com")
CLAIMED = Claimed(
    mail_id=MAIL, claim=1, attempts=1, queued_us=NOON_US, expires_us=None, was_handing_over=False
)


def written(letter: AnyLetter, locale: Locale = "en", **changes: Any) -> bytes:
    given = {"to": "ada@example.com", "letterhead": US, "attachments": ()} | changes
    return write_mail(message_of(letter, locale, sender=US.name), CLAIMED, **given)


def read(content: bytes) -> EmailMessage:
    return cast("EmailMessage", message_from_bytes(content, policy=SMTP))  # type: ignore[arg-type]  # of this policy


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Its text and its HTML."""
    found = [mail.get_body((kind,)) for kind in ("plain", "html")]
    text, html = (str(one.get_content()) for one in found if one is not None)
    return text, html


@pytest.mark.parametrize("locale", LOCALES)
def test_every_mail_is_read_as_it_was_written(locale: Locale) -> None:
    """In text and in HTML, with its links; ASCII on the wire, and no line too long for it."""
    for letter in LETTERS:
        content = written(letter, locale)
        assert content.isascii()
        assert max(len(line) for line in content.split(b"\r\n")) <= 998
        assert b"\n" not in content.replace(b"\r\n", b"")
        mail = read(content)
        assert not mail.defects
        message = message_of(letter, locale, sender=US.name)
        assert mail["subject"] == message.subject
        text, html = parts(mail)
        for said in message.paragraphs:
            assert said in text
        for link in filter(None, links_of(letter)):
            assert link in text
            assert f'href="{link}"' in html.replace("&amp;", "&")
        assert f'lang="{locale}"' in html


def test_headers_say_what_machines_ask_for() -> None:
    """The same mail is the same to the byte, with the same id and date, however often it is tried."""
    letter = LETTERS[0]
    mail = read(written(letter))
    assert mail["from"] == "Exämple AI 株式会社 <billing@example.com>"
    assert mail["to"] == "ada@example.com"
    assert mail["message-id"] == f"<{MAIL}@example.com>"
    assert mail["date"] == "Mon, 24 Nov 2025 16:00:00 +0000"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["content-language"] == "en"
    assert written(letter) == written(letter)


def test_files_go_with_it() -> None:
    """Byte for byte, by their names."""
    pdf = b"%PDF-1.4\r\n.\r\n\x00\xff" * 100
    mail = read(written(LETTERS[7], attachments=[Attachment("INV-000001.pdf", pdf)]))
    (found,) = list(mail.iter_attachments())
    assert (found.get_filename(), found.get_content_type()) == ("INV-000001.pdf", "application/pdf")
    assert found.get_content() == pdf


@pytest.mark.parametrize(
    "hostile",
    [
        "Acme\r\nBcc: eve@evil.example\r\n\r\nHello",
        "<script>alert(1)</script><img src=https://evil.example/x>",
        '" onmouseover="alert(1)',
        "{{ message.sender }}{% include 'x' %}",
        "\u202eemca\u202c \x00\x1b[31m",
        "=?utf-8?q?=0D=0ABcc:_eve=40evil.example?=",
        "https://evil.example/login",
    ],
)
def test_a_hostile_name_is_harmless(hostile: str) -> None:
    """It adds no header, no recipient, no markup and no link; it is shown as text, in one line."""
    invitation = letters.Invitation(
        role="viewer", link=LINK, expires_us=NOON_US, zone="UTC", workspace=hostile
    )
    sign_in = letters.NewSignIn(at_us=NOON_US, zone="UTC", address=hostile, agent=hostile, sessions_link=LINK)
    for letter, harmless in (
        (
            invitation,
            letters.Invitation(role="viewer", link=LINK, expires_us=NOON_US, zone="UTC", workspace="A"),
        ),
        (sign_in, letters.NewSignIn(at_us=NOON_US, zone="UTC", address="A", agent="A", sessions_link=LINK)),
    ):
        mail, plain = read(written(letter)), read(written(harmless))
        assert sorted(mail.keys()) == sorted(plain.keys())
        assert mail["subject"] == plain["subject"]
        assert mail["to"].addresses[0].addr_spec == "ada@example.com"
        text, html = parts(mail)
        assert len(text.splitlines()) == len(parts(plain)[0].splitlines())
        for tag in ("<script", "<img", 'onmouseover="', "https://evil", "\x1b", "\u202e"):
            assert tag not in html
        assert html.count("<a ") == parts(plain)[1].count("<a ")
        assert "https://evil" not in text


@pytest.mark.parametrize("to", ["ada@example.com\r\nBcc: eve@example.com", "a@example.com, eve@example.com"])
def test_a_header_takes_one_address(to: str) -> None:
    """Though nothing else gets this far: see `application.mail.address`."""
    with pytest.raises(ValueError, match=r".+"):
        written(LETTERS[0], to=to)


def test_from_whom_mails_are() -> None:
    """A name and an address, or the address alone; where mails are files, ours."""
    assert parse_letterhead("Example AI <a@example.com>") == Letterhead(
        name="Example AI", address="a@example.com"
    )
    assert parse_letterhead("a@example.com") == Letterhead(name="a@example.com", address="a@example.com")
    assert parse_letterhead("").name == "Tokenok"
    for wrong in (
        "Example AI",
        "a@b@c",
        "X <a@example.com",
        "X\r\nBcc: b@c.d <a@example.com>",
        "a@example.com, b@c.d",
    ):
        with pytest.raises(ValueError, match="MAIL_FROM"):
            parse_letterhead(wrong)
