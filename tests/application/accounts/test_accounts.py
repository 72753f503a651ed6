"""Commands about accounts."""

from uuid import UUID

import pytest

from application.accounts import (
    close_account,
    open_account,
    reinstate_account,
    rename,
    set_account_limits,
    suspend_account,
)
from application.accounts.stream import load_account
from application.command import Ports
from domain.accounts import Account
from domain.fact import SYSTEM
from domain.limits import Limits
from domain.refusal import BadField, NotFound
from tests.fakes import MemoryEventStore, memory_ports


def opened(ports: Ports, name: str = "Ada") -> UUID:
    return open_account.handle(open_account.OpenAccount(name=name), actor=SYSTEM, ports=ports).id


def test_the_name_of_a_customer_is_never_in_the_log() -> None:
    """It is kept where it can be erased."""
    ports = memory_ports()
    account_id = opened(ports, "Ada Canary")
    assert ports.names.get([account_id]) == {account_id: "Ada Canary"}
    assert isinstance(ports.store, MemoryEventStore)
    assert all(b"Canary" not in one.state for one in ports.store.log)
    rename.handle(rename.Rename(subject_id=account_id, name=" Eve "), actor=SYSTEM, ports=ports)
    assert ports.names.get([account_id]) == {account_id: "Eve"}


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 121])
def test_a_name_that_cannot_be_shown_opens_nothing(name: str) -> None:
    """And renames nothing."""
    ports = memory_ports()
    with pytest.raises(BadField):
        opened(ports, name)
    with pytest.raises(BadField):
        rename.handle(rename.Rename(subject_id=UUID(int=1), name=name), actor=SYSTEM, ports=ports)
    assert ports.store.head_position() == 0


def test_an_account_lives_through_its_states() -> None:
    """Opened, limited, suspended, reinstated, closed: each command changes what the log says."""
    ports = memory_ports()
    account_id = opened(ports)
    limits = set_account_limits.SetAccountLimits(account_id=account_id, rpm=5, models=("b", "a"))
    set_account_limits.handle(limits, actor=SYSTEM, ports=ports)
    suspend = suspend_account.SuspendAccount(account_id=account_id, reason="unpaid")
    suspend_account.handle(suspend, actor=SYSTEM, ports=ports)
    assert load_account(ports.store, account_id) == Account(
        account_id=account_id, status="suspended", limits=Limits(rpm=5, models=("a", "b"))
    )
    reinstate = reinstate_account.ReinstateAccount(account_id=account_id)
    reinstate_account.handle(reinstate, actor=SYSTEM, ports=ports)
    assert load_account(ports.store, account_id).status == "open"
    close = close_account.CloseAccount(account_id=account_id, reason="left")
    assert close_account.handle(close, actor=SYSTEM, ports=ports).version == 5
    assert load_account(ports.store, account_id).status == "closed"


def test_an_unknown_account_is_not_found() -> None:
    """Also by those who only look it up."""
    with pytest.raises(NotFound):
        load_account(memory_ports().store, UUID(int=1))
