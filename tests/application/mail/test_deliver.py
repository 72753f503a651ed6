"""Mails that are due are handed over, at most once."""

from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs

from application.documents.page import PrintingFailed
from application.i18n.locales import Locale
from application.mail.deliver import ATTEMPTS_MAX, Delivery
from application.mail.letters import AnyLetter
from application.mail.message import Attachment, Letterhead, Message
from application.mail.outbox import Claimed, QueuedMail
from application.mail.transport import (
    Envelope,
    MailNotOurs,
    MailRefused,
    MailUnavailable,
    MailUncertain,
)
from application.vault import VaultUnavailable
from domain.privacy import SubjectErased
from domain.refusal import NotFound
from tests.application.mail.samples import LINK, MAIL, mail
from tests.fakes import NOON_US, SECOND_US, ManualClock, MemoryOutbox


class Killed(BaseException):
    """Nothing catches it."""


class Door:
    """A transport in memory. `says` is raised: before the mark, or behind it."""

    def __init__(self, *, repeats_safely: bool = False) -> None:
        self.arrived: list[Envelope] = []
        self.before: list[BaseException] = []
        self.behind: list[BaseException] = []
        self._repeats_safely = repeats_safely

    @property
    def repeats_safely(self) -> bool:
        return self._repeats_safely

    def hand_over(self, envelope: Envelope, *, commit: Callable[[], bool]) -> None:
        if self.before:
            raise self.before.pop()
        if not commit():
            raise MailNotOurs("not ours")
        if self.behind:
            raise self.behind.pop()
        self.arrived.append(envelope)


class Office:
    def __init__(self, *, repeats_safely: bool = False) -> None:
        self.outbox, self.clock = MemoryOutbox(), ManualClock()
        self.door = Door(repeats_safely=repeats_safely)
        self.wrong: list[BaseException] = []  #: with the files that go with a letter
        self.worker = self.new_worker()

    def new_worker(self) -> Delivery:
        return Delivery(
            outbox=self.outbox,
            transport=self.door,
            letterhead=Letterhead(name="Us", address="us@example.com"),
            write=_write,
            enclose=self._enclose,
            clock=self.clock,
        )

    def _enclose(self, letter: AnyLetter, locale: Locale) -> Sequence[Attachment]:
        if self.wrong:
            raise self.wrong.pop()
        return []

    def row(self) -> QueuedMail:
        found = self.outbox.find(MAIL)
        assert found is not None
        return found

    def work(self) -> None:
        while self.worker.deliver_due():
            pass


def _write(
    message: Message, claimed: Claimed, *, to: str, letterhead: Letterhead, attachments: Sequence[Attachment]
) -> bytes:
    return f"{claimed.mail_id} {message.subject}".encode()


@pytest.fixture
def office() -> Office:
    made = Office()
    made.outbox.put(mail(), now_us=NOON_US)
    return made


def test_a_mail_is_handed_over_once(office: Office) -> None:
    """To whom it is for, under its own name; nothing is left to do then."""
    office.work()
    (envelope,) = office.door.arrived
    assert (envelope.to, envelope.sender) == ("ada@example.com", "us@example.com")
    assert envelope.name == f"{NOON_US}-{MAIL}.eml"
    assert "ada" not in repr(envelope)
    assert (office.row().state, office.row().sent_us) == ("sent", NOON_US)
    office.clock.move(10**6)
    office.work()
    assert len(office.door.arrived) == 1


def test_what_cannot_be_taken_now_is_tried_again_ever_more_seldom(office: Office) -> None:
    """From half a minute to four hours apart; in the end it is parked with the reason, for an operator."""
    office.door.before = [MailUnavailable("421")] * ATTEMPTS_MAX
    pauses = []
    for _ in range(ATTEMPTS_MAX - 1):
        office.work()
        assert (office.row().state, office.row().reason) == ("waiting", "421")
        pauses.append((office.row().next_us - office.clock.us) // SECOND_US)
        office.clock.us = office.row().next_us
    assert (pauses[0], pauses[1], pauses[-1]) == (30, 60, 4 * 3600)
    assert sum(pauses) > 36 * 3600
    with capture_logs() as logged:
        office.work()
    assert (office.row().state, office.row().reason) == ("parked", "given up: 421")
    assert [(one["event"], one["mail_id"]) for one in logged] == [("mail_not_sent", str(MAIL))]
    assert not office.door.arrived


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MailRefused("550 5.1.1"), "the mail server refused it: 550 5.1.1"),
        (MailUncertain("timeout"), "it was handed over, and no answer came: it may have arrived (timeout)"),
    ],
)
def test_what_is_refused_or_not_known_waits_for_an_operator(
    office: Office, error: Exception, reason: str
) -> None:
    """It is not tried again by itself."""
    office.door.behind = [error]
    office.work()
    office.clock.move(10**6)
    office.work()
    assert (office.row().state, office.row().reason) == ("parked", reason)
    assert not office.door.arrived
    office.outbox.retry(MAIL, now_us=office.clock.us)
    office.work()
    assert len(office.door.arrived) == 1


def test_a_refusal_behind_the_mark_that_may_pass_is_tried_again(office: Office) -> None:
    """The server said that it does not have it."""
    office.door.behind = [MailUnavailable("452")]
    office.work()
    assert office.row().state == "waiting"
    office.clock.move(30)
    office.work()
    assert len(office.door.arrived) == 1


def test_a_worker_that_dies_before_the_mark_loses_nothing(office: Office) -> None:
    """Another takes the mail after a while."""
    office.door.before = [Killed()]
    with pytest.raises(Killed):
        office.work()
    office.worker = office.new_worker()
    office.work()
    assert not office.door.arrived
    office.clock.move(300)
    office.work()
    assert len(office.door.arrived) == 1


def test_a_worker_that_dies_behind_the_mark_sends_no_second_one(office: Office) -> None:
    """The mail may have arrived, and it is said so."""
    office.door.behind = [Killed()]
    with pytest.raises(Killed):
        office.work()
    office.worker = office.new_worker()
    office.clock.move(900)
    office.work()
    assert (office.row().state, office.row().reason) == (
        "parked",
        "it was handed over, and no answer came: it may have arrived",
    )
    assert not office.door.arrived


def test_where_twice_is_once_it_is_done_again() -> None:
    """As with files: their names follow from the mail."""
    office = Office(repeats_safely=True)
    office.outbox.put(mail(), now_us=NOON_US)
    office.door.behind = [Killed()]
    with pytest.raises(Killed):
        office.work()
    office.worker = office.new_worker()
    office.clock.move(900)
    office.work()
    assert len(office.door.arrived) == 1


def test_an_outbox_that_is_away_is_told_later(office: Office) -> None:
    """The mail has left; the same worker says so when it can, and nobody takes it for one that may have."""
    settle, away = office.outbox.settle, [True]

    def unavailable(*_: object, **__: object) -> None:
        raise VaultUnavailable("away")

    office.outbox.settle = unavailable  # type: ignore[method-assign]  # for once
    with pytest.raises(VaultUnavailable):
        office.work()
    assert office.row().state == "handing_over"
    assert away
    office.outbox.settle = settle  # type: ignore[method-assign]  # it is back
    office.work()
    assert office.row().state == "sent"
    assert len(office.door.arrived) == 1


def test_another_holder_is_left_alone(office: Office) -> None:
    """A worker that was too slow hands nothing over."""
    claimed = office.outbox.claim

    def claim_and_lose(*, now_us: int, rest_us: int) -> Claimed | None:
        found = claimed(now_us=now_us, rest_us=0)
        claimed(now_us=now_us, rest_us=rest_us)  # another one
        return found

    office.outbox.claim = claim_and_lose  # type: ignore[method-assign]  # for once
    assert office.worker.deliver_due() == 1
    assert not office.door.arrived
    assert office.row().state == "waiting"


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (SubjectErased("gone"), "discarded", "whom it is for was erased"),
        (NotFound("document"), "parked", "it cannot be written: not_found"),
        (PrintingFailed("of Ada"), "waiting", "PrintingFailed"),
        (VaultUnavailable("x"), "waiting", "VaultUnavailable"),
    ],
)
def test_a_mail_that_cannot_be_written(office: Office, error: Exception, state: str, reason: str) -> None:
    """Is tried again where that may help; its words stay out of the log."""
    office.wrong = [error]
    office.work()
    assert (office.row().state, office.row().reason) == (state, reason)
    assert not office.door.arrived


def test_a_link_that_is_over_is_not_sent() -> None:
    """A mail that waited for too long says nothing that still holds."""
    office = Office()
    office.outbox.put(mail(expires_us=NOON_US + 1), now_us=NOON_US)
    office.clock.us += 1
    office.work()
    assert (office.row().state, office.row().reason) == ("discarded", "its time was over")
    assert LINK not in str(office.outbox.rows)


def test_whom_it_is_for_may_be_gone(office: Office) -> None:
    """Then nobody is written to."""
    del office.outbox.mails[MAIL]
    office.outbox.settle = lambda *args, **more: None  # type: ignore[method-assign]  # there is nothing to drop
    with capture_logs() as logged:
        assert office.worker.deliver_due() == 1
    assert logged[0]["state"] == "discarded"
    assert not office.door.arrived
