"""The way that mails leave by, as the settings say."""

from pathlib import Path

from adapters.mail.folder import FolderTransport
from adapters.mail.smtp import SmtpTransport, parse_smtp_url
from application.mail.transport import Transport


def configured(*, smtp_url: str, mail_from: str, mail_dir: str) -> Transport | None:
    """None where mail is off.

    Raises:
        ValueError: a setting cannot be used; the message names it and repeats nothing of it.
    """
    if smtp_url:
        if not mail_from:
            raise ValueError("MAIL_FROM must be set with SMTP_URL: from whom mails are")
        return SmtpTransport(parse_smtp_url(smtp_url))
    return FolderTransport(Path(mail_dir)) if mail_dir else None
