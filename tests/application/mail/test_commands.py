"""What operators do about mails."""

from typing import Any, cast
from uuid import UUID

import msgspec
import pytest

from application.command import Ports
from application.mail.check_mail import CheckMail
from application.mail.check_mail import handle as check
from application.mail.discard_mail import DiscardMail
from application.mail.discard_mail import handle as discard
from application.mail.letters import MailCheck
from application.mail.outbox import Claimed
from application.mail.retry_mail import RetryMail
from application.mail.retry_mail import handle as retry
from domain.fact import Actor
from domain.mails import MailDiscarded, MailRetried
from domain.refusal import BadField, NotFound, WrongState
from domain.topics import REGISTRY
from tests.application.mail.samples import MAIL, mail
from tests.fakes import NOON_US, MemoryOutbox, memory_ports

ANNA = Actor("operator", UUID(int=71))


def ports_with(state: str) -> Ports:
    """A mail that is waiting, parked or sent."""
    ports = memory_ports()
    ports.outbox.put(mail(), now_us=NOON_US)
    if state != "waiting":
        claimed = cast("Claimed", ports.outbox.claim(now_us=NOON_US, rest_us=1))
        ports.outbox.settle(claimed, cast("Any", state), now_us=NOON_US, reason="550")
    return ports


def facts(ports: Ports) -> list[object]:
    return [REGISTRY.decode(one.topic, one.state) for one in ports.store.read_stream(MAIL)]


def state(ports: Ports) -> str:
    row = ports.outbox.find(MAIL)
    assert row is not None
    return row.state


def test_a_parked_mail_is_sent_again() -> None:
    """Who wanted it is in the log, each time."""
    ports = ports_with("parked")
    done = retry(RetryMail(mail_id=MAIL), actor=ANNA, ports=ports)
    assert (state(ports), done.version) == ("waiting", 1)
    fact = MailRetried(mail_id=MAIL, template="reset_password", occurred_us=NOON_US, actor=ANNA.label)
    assert facts(ports) == [fact]


def test_a_mail_is_discarded_with_a_reason() -> None:
    """Behind what was done about it before."""
    ports = ports_with("parked")
    retry(RetryMail(mail_id=MAIL), actor=ANNA, ports=ports)
    done = discard(DiscardMail(mail_id=MAIL, reason="wrong address"), actor=ANNA, ports=ports)
    assert (state(ports), done.version) == ("discarded", 2)
    assert isinstance(facts(ports)[1], MailDiscarded)
    assert "ada" not in str(facts(ports))


@pytest.mark.parametrize("found", ["sent", "discarded"])
def test_what_has_ended_stays_so(found: str) -> None:
    """Nothing is recorded of what is refused."""
    ports = ports_with(found)
    for command in (
        lambda: retry(RetryMail(mail_id=MAIL), actor=ANNA, ports=ports),
        lambda: discard(DiscardMail(mail_id=MAIL, reason="x"), actor=ANNA, ports=ports),
    ):
        with pytest.raises(WrongState):
            command()
    assert facts(ports) == []


def test_what_waits_is_not_retried_and_what_is_not_there_not_found() -> None:
    """And a reason is needed."""
    ports = ports_with("waiting")
    with pytest.raises(WrongState):
        retry(RetryMail(mail_id=MAIL), actor=ANNA, ports=ports)
    with pytest.raises(BadField):
        discard(DiscardMail(mail_id=MAIL, reason=" "), actor=ANNA, ports=ports)
    for command in (
        lambda: retry(RetryMail(mail_id=UUID(int=1)), actor=ANNA, ports=ports),
        lambda: discard(DiscardMail(mail_id=UUID(int=1), reason="x"), actor=ANNA, ports=ports),
    ):
        with pytest.raises(NotFound):
            command()


def test_an_operator_sees_whether_mail_arrives() -> None:
    """By a mail of their own; refused where mail is off."""
    ports = memory_ports()
    queued = check(CheckMail(email="anna@example.com", locale="ko"), actor=ANNA, ports=ports)
    assert isinstance(ports.outbox, MemoryOutbox)
    one = ports.outbox.mails[queued.id]
    assert (one.to, one.locale, one.letter) == ("anna@example.com", "ko", MailCheck())
    off = msgspec.structs.replace(ports, mail_on=False)
    with pytest.raises(WrongState):
        check(CheckMail(email="anna@example.com"), actor=ANNA, ports=off)
    with pytest.raises(BadField):
        check(CheckMail(email="a,b@example.com"), actor=ANNA, ports=ports)
