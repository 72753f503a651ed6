"""Erasing whom an account belongs to."""

from hashlib import sha256
from uuid import UUID

import msgspec
import pytest

from application.accounts import erase_account, open_account, rename, set_contact
from application.accounts.contact import contact_of
from application.accounts.stream import load_account
from application.command import Ports
from application.eventlog import LogUnavailable
from application.keys import issue_key
from application.keys.of_account import key_ids_of
from domain.fact import SYSTEM
from domain.privacy import SubjectErased
from domain.refusal import BadField, NotFound
from tests.fakes import ManualClock, MemoryEventStore, memory_ports


def customer(ports: Ports, name: str = "Ada") -> UUID:
    account_id = open_account.handle(open_account.OpenAccount(name=name), actor=SYSTEM, ports=ports).id
    contact = set_contact.SetContact(account_id=account_id, contact_name=name, email="ada@example.com")
    set_contact.handle(contact, actor=SYSTEM, ports=ports)
    return account_id


def key_of(ports: Ports, account_id: UUID) -> UUID:
    command = issue_key.IssueKey(account_id=account_id, name="Ada's laptop")
    return issue_key.handle(command, actor=SYSTEM, ports=ports).key_id


def erase(ports: Ports, account_id: UUID, reason: str = "asked for") -> erase_account.ErasureCertificate:
    command = erase_account.EraseAccount(account_id=account_id, reason=reason)
    return erase_account.handle(command, actor=SYSTEM, ports=ports)


def test_nothing_of_a_person_is_left_to_read() -> None:
    """The contact, the account's name and the names of its keys; another customer is untouched."""
    ports = memory_ports()
    ada, bob = customer(ports), customer(ports, "Bob")
    keys = [key_of(ports, one) for one in (ada, bob, ada)]
    before = load_account(ports.store, ada)
    erase(ports, ada)
    assert set(ports.names.get([ada, bob, *keys])) == {bob, keys[1]}
    after = load_account(ports.store, ada)
    assert (after.status, after.erased, after.contact) == ("closed", True, None)
    assert contact_of(ports.personal, before) is None
    assert contact_of(ports.personal, load_account(ports.store, bob)) is not None


def test_the_certificate_says_what_and_where() -> None:
    """Its line is the log's own, so that a proof of inclusion can be made for its hash."""
    ports = memory_ports()
    account_id = customer(ports)
    contact = load_account(ports.store, account_id).contact
    assert contact is not None
    certificate = erase(ports, account_id)
    last = ports.store.read_stream(account_id)[-1]
    assert (certificate.key_id, certificate.position) == (contact.key_id, last.position)
    line = certificate.event.encode()
    assert certificate.leaf_sha256 == sha256(b"\0" + line).hexdigest()
    read = msgspec.json.decode(line)
    assert (read["stream_id"], read["position"]) == (str(account_id), last.position)
    assert read["state"]["key_id"] == str(contact.key_id)


def test_asked_again_the_certificate_is_the_same() -> None:
    """Later, with another reason: the first erasure counts, and no fact is added."""
    ports = memory_ports()
    account_id = customer(ports)
    first = erase(ports, account_id)
    assert isinstance(ports.clock, ManualClock)
    ports.clock.move(3600)
    assert erase(ports, account_id, "again") == first
    assert ports.store.head_position() == first.position


def test_an_erasure_that_broke_off_is_finished_by_the_next() -> None:
    """The log was away after the key was destroyed: no certificate then, and the right one later."""
    ports = memory_ports()
    account_id = customer(ports)
    ports.personal.erase(account_id)
    assert isinstance(ports.store, MemoryEventStore)
    ports.store.is_down = True
    with pytest.raises(LogUnavailable):
        erase(ports, account_id)
    ports.store.is_down = False
    assert erase(ports, account_id).key_id is not None


def test_who_was_erased_gets_no_name_again() -> None:
    """Neither by renaming nor by the repeated command that once opened the account."""
    ports = memory_ports()
    account_id = customer(ports)
    erase(ports, account_id)
    with pytest.raises(SubjectErased):
        rename.handle(rename.Rename(subject_id=account_id, name="Ada"), actor=SYSTEM, ports=ports)
    with pytest.raises(SubjectErased):
        open_account.handle(
            open_account.OpenAccount(name="Ada", account_id=account_id), actor=SYSTEM, ports=ports
        )


def test_nothing_is_erased_for_a_bad_command() -> None:
    """An unknown account, or no reason."""
    ports = memory_ports()
    account_id = customer(ports)
    with pytest.raises(NotFound):
        erase(ports, UUID(int=404))
    with pytest.raises(BadField):
        erase(ports, account_id, " ")
    account = load_account(ports.store, account_id)
    assert account.status == "open"
    assert contact_of(ports.personal, account) is not None


def test_the_keys_of_an_account_are_found_in_a_long_log() -> None:
    """Over more than one read, in the order of their issue."""
    ports = memory_ports()
    ada = customer(ports)
    first = key_of(ports, ada)
    for _ in range(600):
        customer(ports, "Bob")
    second = key_of(ports, ada)
    assert key_ids_of(ports.store, ada) == [first, second]
