"""Handing a mail over, to a real server on a socket."""

import socket
import threading
from collections.abc import Iterator
from typing import Final

import pytest

from adapters.mail.smtp import SmtpServer, SmtpTransport, dotted, parse_smtp_url
from application.mail.transport import (
    Envelope,
    MailError,
    MailNotOurs,
    MailRefused,
    MailUnavailable,
    MailUncertain,
)
from tests.adapters.mail.server import CUT, PASSWORD, USER, Serving, serving

MESSAGE: Final = b"Subject: x\r\n\r\nHello.\r\n.\r\n.dot\r\nend"
ENVELOPE: Final = Envelope(name="a.eml", sender="us@example.com", to="ada@example.com", message=MESSAGE)


@pytest.fixture(scope="module")
def plain() -> Iterator[Serving]:
    with serving() as found:
        yield found


@pytest.fixture
def server(plain: Serving) -> Serving:
    plain.post.__init__()  # type: ignore[misc]  # anew
    return plain


def transport(server: Serving, *, answer_s: float = 30.0) -> SmtpTransport:
    at = SmtpServer(host="127.0.0.1", port=server.port, tls="none")
    return SmtpTransport(at, answer_s=answer_s)


def yes() -> bool:
    return True


def test_a_mail_arrives_as_it_is(server: Serving) -> None:
    """From and to whom the envelope says; a line with a dot neither ends it nor loses its dot."""
    marks: list[int] = []

    def mark() -> bool:
        marks.append(len(server.post.arrived))
        return True

    transport(server).hand_over(ENVELOPE, commit=mark)
    assert server.post.arrived == [MESSAGE + b"\r\n"]
    assert (server.post.senders, server.post.recipients) == (["us@example.com"], [["ada@example.com"]])
    assert marks == [0]  # once, before the server had it


def test_what_is_marked_by_another_does_not_arrive(server: Serving) -> None:
    """The server throws away what it has of it."""
    with pytest.raises(MailNotOurs):
        transport(server).hand_over(ENVELOPE, commit=lambda: False)
    assert server.post.arrived == []


class Killed(BaseException):
    """Nothing catches it."""


def test_who_dies_before_the_mark_has_sent_nothing(server: Serving) -> None:
    """All but the last line was given, and the connection ends: no server may take that for a mail."""

    def die() -> bool:
        raise Killed

    with pytest.raises(Killed):
        transport(server).hand_over(ENVELOPE, commit=die)
    transport(server).hand_over(ENVELOPE, commit=yes)
    assert len(server.post.arrived) == 1


@pytest.mark.parametrize(
    ("where", "answer", "error", "said"),
    [
        ("at_sender", "550 5.7.1 who is us@example.com", MailRefused, "550 5.7.1"),
        ("at_sender", "451 4.3.0 later", MailUnavailable, "451 4.3.0"),
        ("at_sender", CUT, MailUnavailable, "SMTPServerDisconnected"),
        ("at_recipient", "550 5.1.1 no ada@example.com here", MailRefused, "550 5.1.1"),
        ("at_recipient", "450 greylisted", MailUnavailable, "450"),
        ("at_recipient", CUT, MailUnavailable, "SMTPServerDisconnected"),
        ("at_end", "554 5.6.0 spam for ada@example.com", MailRefused, "554 5.6.0"),
        ("at_end", "452 4.3.1 full", MailUnavailable, "452 4.3.1"),
        ("at_end", CUT, MailUncertain, "SMTPServerDisconnected"),
    ],
)
def test_each_refusal_is_what_it_is(
    server: Serving, where: str, answer: str, error: type[MailError], said: str
) -> None:
    """To be tried again, not to be, or not known; and never with an address in its words."""
    getattr(server.post, where).append(answer)
    with pytest.raises(MailError) as failed:
        transport(server).hand_over(ENVELOPE, commit=yes)
    assert (type(failed.value), str(failed.value)) == (error, said)


def test_a_server_that_does_not_answer_may_have_it() -> None:
    """It took the last line and says nothing: after a while nobody knows."""
    with _mute(answers=[b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n"]) as port:
        server = SmtpServer(host="127.0.0.1", port=port, tls="none")
        with pytest.raises(MailUncertain):
            SmtpTransport(server, answer_s=0.1).hand_over(ENVELOPE, commit=yes)


def test_a_server_that_is_away_is_tried_later() -> None:
    """And one that talks no SMTP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for away in (_nowhere(port), _mute(answers=[b"HTTP/1.1 400\r\n"])):
        with away as at, pytest.raises(MailUnavailable):
            SmtpTransport(SmtpServer(host="127.0.0.1", port=at, tls="none")).hand_over(ENVELOPE, commit=yes)


def test_the_password_goes_over_tls_only() -> None:
    """STARTTLS with a certificate that fits, then the sign-in; without either nothing is sent."""
    with serving(tls=True, login=True) as server:

        def over(context: object, **changes: object) -> None:
            given = {
                "host": "127.0.0.1",
                "port": server.port,
                "tls": "starttls",
                "user": USER,
                "password": PASSWORD,
            }
            at = SmtpServer(**(given | changes))  # type: ignore[arg-type]  # of a test
            SmtpTransport(at, context=context).hand_over(ENVELOPE, commit=yes)  # type: ignore[arg-type]  # likewise

        over(server.trust)
        assert len(server.post.arrived) == 1
        for words, wrong in (
            ("SSLCertVerificationError", lambda: over(None)),
            ("SMTPAuthenticationError 535 5.7.8", lambda: over(server.trust, password="wrong")),
            ("530", lambda: over(server.trust, tls="none", user="", password="")),
        ):
            with pytest.raises(MailError, match=words) as failed:
                wrong()
            assert PASSWORD not in str(failed.value)
        assert len(server.post.arrived) == 1


def test_a_server_without_tls_gets_no_mail(server: Serving) -> None:
    """Where TLS is asked for, it is not gone without."""
    at = SmtpServer(host="127.0.0.1", port=server.port, tls="starttls")
    with pytest.raises(MailUnavailable, match="SMTPNotSupportedError"):
        SmtpTransport(at).hand_over(ENVELOPE, commit=yes)
    assert server.post.arrived == []


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://mail.example.com", ("mail.example.com", 587, "starttls", "", "")),
        ("smtps://u%40x:p%3Aw@mail.example.com", ("mail.example.com", 465, "at_once", "u@x", "p:w")),
        ("smtp+insecure://127.0.0.1:2525", ("127.0.0.1", 2525, "none", "", "")),
    ],
)
def test_an_address_of_a_server(url: str, found: tuple[str, int, str, str, str]) -> None:
    """With the usual ports, and what is escaped in a password."""
    server = parse_smtp_url(url)
    assert (server.host, server.port, server.tls, server.user, server.password) == found
    assert not found[4] or found[4] not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example.com", "http://mail.example.com", "smtp://"),
        "smtp://h:99999",
        "smtp+insecure://u:secret@h",
    ],
)
def test_what_is_no_server(url: str) -> None:
    """It is said without the password."""
    with pytest.raises(ValueError, match="SMTP_URL") as refused:
        parse_smtp_url(url)
    assert "secret" not in str(refused.value)


def test_lines_end_alike_on_the_wire() -> None:
    """So that no server finds an end where there is none (SMTP smuggling)."""
    assert dotted(b"a\n.\nb\r.\rc\r\n..\r\n\n") == b"a\r\n..\r\nb\r\n..\r\nc\r\n...\r\n"


class _nowhere:  # noqa: N801  # a context, as the other
    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> int:
        return self._port

    def __exit__(self, *_: object) -> None:
        return


class _mute:  # noqa: N801  # likewise
    """Gives these answers, one for each line until the message begins, and then none."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._listener.getsockname()[1]
        return port

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as lines:
            for answer in self._answers:
                connection.sendall(answer)
                lines.readline()
            self._done.wait(60)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._listener.close()
