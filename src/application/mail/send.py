"""Sending a mail: it is put into the outbox, durably, and a worker hands it over. The same id is sent once.

    send(
        Mail(mail_id=stream_of(token_id, "mail"), subject_id=person_id, to=email, locale="ja", letter=ResetPassword(...)),
        outbox=ports.outbox,
        clock=ports.clock,
    )

Decide and store the fact first, then send: should the process die in between, doing the same again sends the mail, for its id follows
from the fact. `ports.mail_on` tells whether this installation sends mail at all; what is put while it does not waits, and expires.
"""

from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from application.clock import Clock
from application.mail.address import mail_address
from application.mail.letters import links_of
from application.mail.outbox import Mail, Outbox
from domain.refusal import BadField

_SCHEMES: Final = ("http", "https")


def send(mail: Mail, *, outbox: Outbox, clock: Clock) -> bool:
    """Have it sent; false if its id was sent, or waits to be, already.

    Raises:
        BadField: the address is none that mail can be sent to, or a link is no web address.
        SubjectErased: whom it is for was erased.
        VaultUnavailable: it is not known to be kept: do it again.
    """
    for link in filter(None, links_of(mail.letter)):
        _check(link)
    return outbox.put(replace(mail, to=mail_address(mail.to)), now_us=clock.now_us())


def _check(link: str) -> None:
    parts = urlsplit(link)
    if parts.scheme not in _SCHEMES or not parts.hostname or not (link.isprintable() and " " not in link):
        raise BadField("link", "is no web address")
