"""Whom to write to: sealed in the log, opened for people."""

import pytest

from application.accounts import close_account, open_account, set_contact
from application.accounts.contact import Contact, contact_of
from application.accounts.stream import load_account
from application.command import Ports
from domain.fact import SYSTEM
from domain.refusal import BadField, WrongState
from tests.fakes import MemoryEventStore, memory_ports

ADA = Contact(contact_name="Ada Canary", email="ada@canary.example")


def command(ports: Ports, contact_name: str = "Ada Canary", email: str = ADA.email) -> set_contact.SetContact:
    account_id = open_account.handle(open_account.OpenAccount(name="Blue"), actor=SYSTEM, ports=ports).id
    return set_contact.SetContact(account_id=account_id, contact_name=contact_name, email=email)


def test_a_contact_is_in_the_log_only_sealed() -> None:
    """It reads back for people, and neither the log nor a representation shows it."""
    ports = memory_ports()
    given = command(ports)
    set_contact.handle(given, actor=SYSTEM, ports=ports)
    assert contact_of(ports.personal, load_account(ports.store, given.account_id)) == ADA
    assert isinstance(ports.store, MemoryEventStore)
    assert all(b"anary" not in one.state for one in ports.store.log)
    assert "anary" not in repr(given) + repr(ADA)


def test_an_account_without_a_contact_has_none() -> None:
    """Nothing is opened for it."""
    ports = memory_ports()
    account = load_account(ports.store, command(ports).account_id)
    assert contact_of(ports.personal, account) is None


@pytest.mark.parametrize(
    ("contact_name", "email"),
    [
        ("", "a@b"),
        ("a\x00", "a@b"),
        ("A", ""),
        ("A", "a"),
        ("A", "@b"),
        ("A", "a@"),
        ("A", "a b@c"),
        ("A", "a@" + "b" * 253),
    ],
)
def test_what_no_mail_reaches_is_refused(contact_name: str, email: str) -> None:
    """And nothing is sealed or stored."""
    ports = memory_ports()
    given = command(ports, contact_name, email)
    head = ports.store.head_position()
    with pytest.raises(BadField):
        set_contact.handle(given, actor=SYSTEM, ports=ports)
    assert ports.store.head_position() == head


def test_a_closed_account_gets_no_contact() -> None:
    """Nobody will write to it."""
    ports = memory_ports()
    given = command(ports)
    close = close_account.CloseAccount(account_id=given.account_id, reason="left")
    close_account.handle(close, actor=SYSTEM, ports=ports)
    with pytest.raises(WrongState):
        set_contact.handle(given, actor=SYSTEM, ports=ports)
