"""Invitations that go out by mail, beside the link that is shown."""

from uuid import UUID

import msgspec
import pytest

from application.mail.invitations import MAILS_MAX
from application.mail.letters import Invitation
from application.members import invite_member
from application.members.invite_member import InviteMember
from domain.fact import SYSTEM
from domain.refusal import BadField, WrongState
from tests.api.console.conftest import ACCOUNT, CONSOLE_URL, PASSWORD, World

NEW = "new@customer.example"


def test_a_member_is_invited_by_mail_and_comes_in(world: World) -> None:
    """In the language of who invites; the link of the mail is the one that is shown, and the log holds no address."""
    world.as_member("admin")
    invite = f"/app/{ACCOUNT}/do/members/invite"
    shown = world.post(invite, role="developer", email=NEW, locale="ja")
    assert "The mail with the link is on its way." in shown.text
    (mail,) = world.mailbox.letters
    assert isinstance(mail.letter, Invitation)
    assert (mail.to, mail.locale, mail.letter.role, mail.letter.workspace) == (NEW, "ja", "developer", "Acme")
    assert mail.letter.link in shown.text
    assert mail.letter.link.startswith(f"{CONSOLE_URL}/join/{ACCOUNT}/")
    stored = world.process.store.read_control(after_position=0, limit=1_000)
    assert not any(NEW.encode() in one.state for one in stored)
    world.client.cookies.clear()
    path = world.mailbox.path()
    assert world.post(path, token=world.token(path), email=NEW, password=PASSWORD).status_code == 303
    roles = [one.role for one in world.process.directory.members[ACCOUNT].members.values()]
    assert roles.count("developer") == 2


def test_without_an_address_nothing_is_mailed(world: World) -> None:
    """The link is passed on by hand."""
    world.as_member("owner")
    shown = world.post(f"/app/{ACCOUNT}/do/members/invite", role="viewer", email="")
    assert "The mail with the link" not in shown.text
    assert world.mailbox.letters == []


def test_an_operator_is_invited_by_mail(world: World) -> None:
    """With a letter of its own, and no workspace."""
    world.as_staff("admin")
    form = {"operator_id": str(world.staff["support"]), "email": "support@staff.example", "locale": "ko"}
    world.post("/console/do/operators/invite", **form)
    (mail,) = world.mailbox.letters
    assert isinstance(mail.letter, Invitation)
    assert (mail.letter.role, mail.letter.workspace, mail.locale) == ("operator", "", "ko")


def test_nobody_is_invited_by_a_mail_that_cannot_go(world: World) -> None:
    """Neither to what is no address, nor where no mail is sent, nor after too many; an invitation is not made then."""

    def invite(email: str, **changes: object) -> None:
        ports = msgspec.structs.replace(world.process.ports, **changes)
        invite_member.handle(
            InviteMember(account_id=ACCOUNT, role="viewer", email=email), actor=SYSTEM, ports=ports
        )

    before = world.process.store.head_position()
    with pytest.raises(BadField):
        invite("nobody")
    with pytest.raises(WrongState):
        invite(NEW, mail_on=False)
    with pytest.raises(WrongState):
        invite(NEW, pages_url="")
    assert world.process.store.head_position() == before
    for _ in range(MAILS_MAX):
        invite(NEW)
    world.refresh()
    world.as_member("owner")
    answer = world.post(f"/app/{ACCOUNT}/do/members/invite", role="viewer", email=NEW)
    assert answer.status_code == 303
    assert "Many invitations were mailed already." in world.client.get(f"/app/{ACCOUNT}/members").text
    assert NEW not in repr(InviteMember(account_id=UUID(int=1), role="viewer", email=NEW))
