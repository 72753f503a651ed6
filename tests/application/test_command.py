"""The loop around every decision."""

from typing import get_args
from uuid import UUID

import msgspec
import pytest

from application.accounts import suspend_account
from application.accounts.open_account import OpenAccount
from application.accounts.open_account import handle as open_account
from application.accounts.suspend_account import SuspendAccount
from application.command import ATTEMPTS_MAX, Contended, decode_hook, execute, load, new_event
from application.eventlog import LogUnavailable
from application.keys.import_key import ImportKey
from application.keys.issue_key import IssueKey
from domain import accounts
from domain.accounts import AccountEvent, AccountLimitsSet, AccountSuspended
from domain.fact import SYSTEM
from domain.limits import Limits
from domain.operators import Permission
from domain.refusal import WrongState
from tests.commands import all_commands
from tests.fakes import MemoryEventStore, memory_ports

ID = UUID(int=7)


def test_a_decision_is_made_again_on_what_another_writer_left() -> None:
    """A conflict is no failure: the second try sees the other's fact, and here refuses because of it."""
    ports = memory_ports()
    store = ports.store
    assert isinstance(store, MemoryEventStore)
    open_account(OpenAccount(name="A", account_id=ID), actor=SYSTEM, ports=ports)

    def close_first() -> None:
        closed = accounts.AccountClosed(account_id=ID, reason="x", occurred_us=1, actor="system")
        store.append([new_event(ID, 2, closed)])

    store.before_append = close_first
    with pytest.raises(WrongState):
        suspend_account.handle(SuspendAccount(account_id=ID, reason="late"), actor=SYSTEM, ports=ports)
    assert [one.topic for one in store.log] == ["account.opened.v1", "account.closed.v1"]


def test_it_gives_up_after_a_bounded_number_of_tries() -> None:
    """Nothing is stored then, and the caller may try again."""
    ports = memory_ports()
    store = ports.store
    assert isinstance(store, MemoryEventStore)
    open_account(OpenAccount(name="A", account_id=ID), actor=SYSTEM, ports=ports)
    tries = 0

    def decide(account: accounts.Account | None) -> list[AccountEvent]:
        nonlocal tries
        tries += 1
        store.before_append = lambda: interfere(tries)
        return [AccountSuspended(account_id=ID, reason="x", occurred_us=1, actor="system")]

    def interfere(number: int) -> None:
        limits = AccountLimitsSet(account_id=ID, limits=Limits(rpm=number), occurred_us=1, actor="system")
        store.append([new_event(ID, number + 1, limits)])

    with pytest.raises(Contended):
        execute(store, ID, None, accounts.evolve, decide)
    assert tries == ATTEMPTS_MAX
    assert all(one.topic != "account.suspended.v1" for one in store.log)


def test_nothing_decided_is_nothing_stored() -> None:
    """A repeated command tells the version, and no position."""
    ports = memory_ports()
    command = OpenAccount(name="A", account_id=ID)
    first = open_account(command, actor=SYSTEM, ports=ports).done
    second = open_account(command, actor=SYSTEM, ports=ports).done
    assert (first.version, first.position, len(first.events)) == (1, 1, 1)
    assert (second.version, second.position, second.events) == (1, None, ())


def test_a_log_that_is_away_is_told_to_the_caller() -> None:
    """It is not tried again here."""
    ports = memory_ports()
    assert isinstance(ports.store, MemoryEventStore)
    ports.store.is_down = True
    with pytest.raises(LogUnavailable):
        open_account(OpenAccount(name="A"), actor=SYSTEM, ports=ports)
    with pytest.raises(LogUnavailable):
        load(ports.store, ID, None, accounts.evolve)


def test_every_command_names_its_permission() -> None:
    """A surface cannot forget to ask for it."""
    assert {IssueKey, ImportKey, OpenAccount} <= set(all_commands())
    for command in all_commands():
        assert command.permission in get_args(Permission), command


def test_a_command_has_no_field_for_mass_assignment() -> None:
    """Fields that it does not have are refused, an actor or a role above all."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name": "A", "actor": "system"}', type=OpenAccount)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name": "A", "balance_nano": 5}', type=OpenAccount)


def test_a_secret_decodes_from_a_string_and_is_never_shown() -> None:
    """Not in the command, nor in the error about a body that is wrong elsewhere."""
    body = b'{"account_id": "00000000-0000-0000-0000-000000000001", "name": "k", "secret": "sk-canary"}'
    command = msgspec.json.decode(body, type=ImportKey, dec_hook=decode_hook)
    assert command.secret.reveal() == "sk-canary"
    assert "canary" not in repr(command)
    for wrong in (body.replace(b'"sk-canary"', b"7"), body.replace(b'"k"', b"7")):
        with pytest.raises(msgspec.ValidationError) as caught:
            msgspec.json.decode(wrong, type=ImportKey, dec_hook=decode_hook)
        assert "canary" not in str(caught.value)
