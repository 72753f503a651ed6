"""A real mail server on a socket of its own, that can be told to misbehave."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any, cast

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD = "tokenok", "pass:word@1"
CUT = "cut"  #: instead of an answer


class Post:
    """What arrived, and what is to be said instead of yes. An answer of `CUT` hangs up without one."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.senders: list[str] = []
        self.at_sender: list[str] = []
        self.at_recipient: list[str] = []
        self.at_end: list[str] = []
        self.on_arrival: Callable[[], None] = lambda: None  #: it has the mail and has not said so
        self.greeted = 0

    def mails(self) -> list[EmailMessage]:
        return [cast("EmailMessage", message_from_bytes(one, policy=POLICY)) for one in self.arrived]  # type: ignore[arg-type]  # of this policy

    async def handle_EHLO(  # noqa: N802  # the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greeted += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802  # the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_sender:
            return _said(server, self.at_sender.pop(0))
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_recipient:
            return _said(server, self.at_recipient.pop(0))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.at_end.pop(0) if self.at_end else "250 OK"
        if answer.startswith(("250", CUT)):
            self.arrived.append(cast("bytes", envelope.content))
            self.recipients.append(list(envelope.rcpt_tos))
            self.senders.append(str(envelope.mail_from))
            self.on_arrival()
        return _said(server, answer)


def _said(server: SMTP, answer: str) -> str:
    if answer == CUT:
        server.transport.abort()
        return "421 cut"
    return answer


def _authenticated(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=is_right)


class Serving:
    """Where it listens."""

    def __init__(self, post: Post, port: int, trust: ssl.SSLContext | None) -> None:
        self.post, self.port, self.trust = post, port, trust


class _Controller(Controller):
    """On a port that the system chooses, which it looks up before it tries itself."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library's


@contextmanager
def serving(*, tls: bool = False, login: bool = False) -> Iterator[Serving]:
    """Until the block ends; with TLS by STARTTLS, which it insists on."""
    post, trust, more = Post(), None, dict[str, Any]()
    if tls:
        authority = trustme.CA()
        own, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        authority.issue_cert("127.0.0.1").configure_cert(own)
        authority.configure_trust(trust)
        more |= {"tls_context": own, "require_starttls": True}
    if login:
        more |= {"authenticator": _authenticated, "auth_required": True}
    controller = _Controller(post, hostname="127.0.0.1", port=0, **more)
    controller.start()
    try:
        yield Serving(post, controller.port, trust)
    finally:
        controller.stop()
