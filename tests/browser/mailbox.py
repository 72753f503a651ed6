"""Mails that an installation without a mail server keeps as files: what their reader finds in them."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.waiting import until


def link_in_the_mail_to(address: str, folder: Path) -> str:
    """The one that its newest mail asks to follow; waits until there is one."""
    text = until(lambda: _newest_to(address, folder))
    found = re.search(r"^https?://\S+", text, re.MULTILINE)
    assert found is not None, text
    return found[0]


def _newest_to(address: str, folder: Path) -> str:
    for path in sorted(folder.glob("*.eml"), reverse=True):
        mail = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
        if mail["to"] == address:
            body = mail.get_body(("plain",))
            assert body is not None
            return str(body.get_content())
    return ""
