"""A mail in the form of the wire: plain text, HTML that says the same, and files. The same mail gives the same bytes.

Everything is ASCII on the wire. Texts are escaped, and stand between tags, never in them.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from application.mail.address import mail_address
from application.mail.message import Attachment, Letterhead, Message
from application.mail.outbox import Claimed
from domain.refusal import BadField
from domain.text import printable

_POLICY: Final = SMTP.clone(cte_type="7bit")
_SENDER: Final = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>|(?P<bare>[^<>]+)")
_LETTERHEAD: Final = Letterhead(name="Tokenok", address="tokenok@localhost")


def write_mail(
    message: Message,
    claimed: Claimed,
    *,
    to: str,
    letterhead: Letterhead,
    attachments: Sequence[Attachment],
) -> bytes:
    """See `application.mail.deliver.WriteMail`."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(letterhead.name, addr_spec=letterhead.address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(
        datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=claimed.queued_us)
    )
    mail["Message-ID"] = f"<{claimed.mail_id}@{letterhead.address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # no holiday notices in return
    mail["X-Auto-Response-Suppress"] = "All"
    templates = _environment()
    mail.set_content(templates.get_template("mail.txt").render(message=message))
    mail.add_alternative(templates.get_template("mail.html").render(message=message), subtype="html")
    for one in attachments:
        mail.add_attachment(one.content, maintype="application", subtype="pdf", filename=one.name)
    mail["Content-Language"] = message.locale
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{claimed.mail_id.hex}_{number}")
    return mail.as_bytes()


def parse_letterhead(text: str) -> Letterhead:
    """What `MAIL_FROM` says.

    Raises:
        ValueError: it is no sender.
    """
    if not text:
        return _LETTERHEAD
    found = _SENDER.fullmatch(text.strip())
    try:
        address = mail_address("" if found is None else found["address"] or found["bare"])
        name = "" if found is None else (found["name"] or "").strip('" ')
        return Letterhead(name=printable(name or address, field="MAIL_FROM"), address=address)
    except BadField:
        raise ValueError("MAIL_FROM must be such as Example AI <billing@example.com>") from None


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
