"""Mail over SMTP (RFC 5321), with the library's client driven step by step: the mark comes between the message and its last line."""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from application.mail.transport import Envelope, MailNotOurs, MailRefused, MailUnavailable, MailUncertain

_STEP_S: Final = 30.0
_ANSWER_S: Final = (
    600.0  # RFC 5321, 4.5.3.2.6: whoever hangs up earlier makes a server that is slow deliver twice
)
_OK, _GO_ON, _READY = 250, 354, 220
_PERMANENT: Final = range(500, 600)
_TAKEN: Final = range(200, 300)
_LINE_ENDS: Final = re.compile(rb"\r\n|\r|\n")
_PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+insecure": 25}


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """The server that takes our mail."""

    host: str
    port: int
    tls: Literal["starttls", "at_once", "none"]
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


def parse_smtp_url(url: str) -> SmtpServer:
    """What `SMTP_URL` says.

    Raises:
        ValueError: it cannot be used; the message repeats nothing of it.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("SMTP_URL must be smtp://, smtps:// or smtp+insecure:// with a host")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "smtp+insecure" and (user or password):
        raise ValueError("SMTP_URL must not send a password without TLS")
    try:
        port = parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise ValueError("SMTP_URL has a port that is none") from None
    tls: dict[str, Literal["starttls", "at_once", "none"]] = {"smtp": "starttls", "smtps": "at_once"}
    return SmtpServer(
        host=parts.hostname, port=port, tls=tls.get(parts.scheme, "none"), user=user, password=password
    )


class SmtpTransport:
    """See `application.mail.transport.Transport`. A connection for each mail."""

    repeats_safely: Final = False

    def __init__(
        self, server: SmtpServer, *, context: ssl.SSLContext | None = None, answer_s: float = _ANSWER_S
    ) -> None:
        self._server, self._answer_s = server, answer_s
        self._context = context or ssl.create_default_context()

    def hand_over(self, envelope: Envelope, *, commit: Callable[[], bool]) -> None:
        try:
            client = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise MailUnavailable(_words(error)) from None
        try:
            self._give(client, envelope)
            if not commit():
                raise MailNotOurs("another worker holds the mail")
            self._end(client)
        finally:
            client.close()

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        client: smtplib.SMTP = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=_STEP_S, context=self._context)
            if server.tls == "at_once"
            else smtplib.SMTP(server.host, server.port, timeout=_STEP_S)
        )
        try:
            client.ehlo_or_helo_if_needed()
            if server.tls == "starttls":
                client.starttls(context=self._context)
                client.ehlo()
            if server.user:
                client.login(server.user, server.password)
        except BaseException:
            client.close()
            raise
        return client

    def _give(self, client: smtplib.SMTP, envelope: Envelope) -> None:
        """All but the last line: until that has come, a server throws away what it has."""
        try:
            _require(client.mail(envelope.sender), _TAKEN)
            _require(client.rcpt(envelope.to), _TAKEN)
            _require(client.docmd("DATA"), range(_GO_ON, _GO_ON + 1))
            client.send(dotted(envelope.message))
        except (smtplib.SMTPException, OSError) as error:
            raise MailUnavailable(_words(error)) from None

    def _end(self, client: smtplib.SMTP) -> None:
        assert client.sock is not None, "it is connected"
        try:
            client.sock.settimeout(self._answer_s)
            client.send(".\r\n")
            answer = client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise MailUncertain(_words(error)) from None
        _require(answer, _TAKEN)
        with suppress(smtplib.SMTPException, OSError):
            client.sock.settimeout(_STEP_S)
            client.quit()


def dotted(message: bytes) -> bytes:
    """The message as it goes over the wire: lines end alike, and none is the end of it all."""
    lines = _LINE_ENDS.split(message.rstrip(b"\r\n"))
    return b"".join(b"." + line + b"\r\n" if line.startswith(b".") else line + b"\r\n" for line in lines)


def _require(answer: tuple[int, bytes], wanted: range) -> None:
    """Raises: MailRefused, MailUnavailable: the server said no."""
    code, said = answer
    if code in wanted:
        return
    raise (MailRefused if code in _PERMANENT else MailUnavailable)(_code(code, said))


def _code(code: int, said: bytes) -> str:
    """The numbers of an answer only: its words may quote an address."""
    extended = re.match(rb"[245]\.\d{1,3}\.\d{1,3}", said)
    return f"{code} {extended.group().decode()}" if extended else str(code)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error if isinstance(error.smtp_error, bytes) else b""
        return f"{type(error).__name__} {_code(error.smtp_code, said)}"
    return type(error).__name__
