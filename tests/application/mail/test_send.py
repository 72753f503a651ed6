"""Putting mails into the outbox."""

import pytest

from application.mail import letters
from application.mail.address import mail_address
from application.mail.outbox import Mail
from application.mail.send import send
from domain.refusal import BadField
from tests.application.mail.samples import LETTERS, LINK, MAIL, mail
from tests.fakes import ManualClock, MemoryOutbox


def put(outbox: MemoryOutbox, one: Mail) -> bool:
    return send(one, outbox=outbox, clock=ManualClock())


def test_the_same_id_is_sent_once() -> None:
    """Whoever sends again, after a crash or at the same time, adds nothing."""
    outbox = MemoryOutbox()
    assert put(outbox, mail())
    assert not put(outbox, mail(to="eve@example.com"))
    assert outbox.mails[MAIL].to == "ada@example.com"


@pytest.mark.parametrize(
    ("typed", "sent_to"),
    [
        (" ada@example.com ", "ada@example.com"),
        ("Ada.L+x@Example.COM", "Ada.L+x@Example.COM"),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
        ("o'neil@a-b.example", "o'neil@a-b.example"),
        ("ada@ex\u1d2cmple.com", "ada@example.com"),  # host names tell this letter from an "a", and we do not
    ],
)
def test_an_address_is_one_mailbox(typed: str, sent_to: str) -> None:
    """In the form that goes over the wire."""
    assert mail_address(typed) == sent_to


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c",
            "ada@-a.example",
            "ada@a..b",
            "ada@a.b.",
            "ada@[127.0.0.1]",
        ),
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com,eve@example.com",
        "ada,eve@example.com",
        "ada@example.com> NOTIFY=NEVER",
        '"ada lovelace"@example.com',
        "ada(comment)@example.com",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        "ada;eve@example.com",
        ".ada@example.com",
        "ada..l@example.com",
        "ädä@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 64}.example",
        f"a@{'.'.join(['b' * 60] * 5)}",
        "ada@exa\u202emple.com",
        "ada@example.com\0",
    ],
)
def test_what_could_be_read_in_another_way_is_no_address(typed: str) -> None:
    """A second recipient, a parameter of the envelope, a header: none of it gets anywhere."""
    outbox = MemoryOutbox()
    with pytest.raises(BadField) as refused:
        put(outbox, mail(to=typed))
    assert not outbox.rows
    assert "eve" not in str(refused.value)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "/reset",
        "https://",
        "ftp://example.com/x",
        "https://a.example/\nX: y",
        "https://a b/",
        "data:,x",
    ],
)
def test_a_link_is_a_web_address(link: str) -> None:
    """Nothing else stands behind a button."""
    outbox = MemoryOutbox()
    for letter in (
        letters.ResetPassword(link=link, valid_minutes=1),
        letters.AlreadyRegistered(sign_in_link=LINK, reset_link=link),
    ):
        with pytest.raises(BadField):
            put(outbox, mail(letter))
    assert not outbox.rows


def test_nothing_of_a_mail_is_shown_by_accident() -> None:
    """Neither the address nor the link that lets somebody in reaches a log or a traceback."""
    for letter in LETTERS:
        shown = f"{mail(letter)!r} {letter!r} {mail(letter)} {[letter]}"
        assert "ada" not in shown
        assert "console.example.com" not in shown
