"""Mails as files."""

from pathlib import Path

import pytest

from adapters.mail.configured import configured
from adapters.mail.folder import FolderTransport
from adapters.mail.smtp import SmtpTransport
from application.mail.transport import Envelope, MailNotOurs, MailUnavailable

ENVELOPE = Envelope(
    name="1-a.eml", sender="us@example.com", to="ada@example.com", message=b"Subject: x\r\n\r\nHello\r\n"
)


def test_a_mail_is_a_file_that_only_we_can_read(tmp_path: Path) -> None:
    """Whole or not at all; written twice it is there once."""
    folder = tmp_path / "new" / "mail"
    for _ in range(2):
        FolderTransport(folder).hand_over(ENVELOPE, commit=lambda: True)
    (file,) = folder.iterdir()
    assert (file.name, file.read_bytes()) == ("1-a.eml", ENVELOPE.message)
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_another_holds_is_no_file(tmp_path: Path) -> None:
    """Nothing is left of it."""
    with pytest.raises(MailNotOurs):
        FolderTransport(tmp_path).hand_over(ENVELOPE, commit=lambda: False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_tried_later(tmp_path: Path) -> None:
    """The mail waits."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MailUnavailable, match="MAIL_DIR"):
        FolderTransport(tmp_path / "file").hand_over(ENVELOPE, commit=lambda: True)


def test_the_settings_choose(tmp_path: Path) -> None:
    """A server before a folder; without either mail is off. A server needs a sender."""
    server = "smtp://u:secret@mail.example.com"
    assert isinstance(configured(smtp_url=server, mail_from="a@b.c", mail_dir=str(tmp_path)), SmtpTransport)
    assert isinstance(configured(smtp_url="", mail_from="", mail_dir=str(tmp_path)), FolderTransport)
    assert configured(smtp_url="", mail_from="", mail_dir="") is None
    with pytest.raises(ValueError, match="MAIL_FROM must be set") as refused:
        configured(smtp_url=server, mail_from="", mail_dir="")
    assert "secret" not in str(refused.value)
