"""Credit to try with: once for an account and for whoever owns it, with an end."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from application.accounts import open_account, suspend_account
from application.command import Ports, new_event
from application.ledger.wallet_reader import load_wallet
from application.people.email import seal_email
from application.promotions import start_demo
from application.promotions.start_demo import Started
from domain.fact import SYSTEM
from domain.members import MemberJoined, MemberRole, members_stream
from domain.promotions.demo import DAYS_MAX, DemoUsed, plain_address
from domain.refusal import BadField, NotFound, WrongState
from tests.fakes import MemoryEventStore, memory_ports


def account(ports: Ports, *emails: str, role: MemberRole = "owner", person_id: UUID | None = None) -> UUID:
    account_id = open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=ports).id
    for version, email in enumerate(emails, 1):
        member_id = person_id or ports.ids.new()
        joined = MemberJoined(
            account_id=account_id,
            invitation_id=ports.ids.new(),
            person_id=member_id,
            role=role,
            pii=seal_email(ports.personal, member_id, email),
            occurred_us=1,
            actor="system",
        )
        ports.store.append([new_event(members_stream(account_id), version, joined)])
    return account_id


def start(ports: Ports, account_id: UUID, *, days: int = 7, models: tuple[str, ...] = ()) -> Started:
    command = start_demo.StartDemo(account_id=account_id, amount_nano=50, days=days, models=models)
    return start_demo.handle(command, actor=SYSTEM, ports=ports)


def test_a_demo_is_promotional_credit_with_an_end() -> None:
    """For the models that were named; a second time it is refused, and nothing is granted."""
    ports = memory_ports()
    ada = account(ports, "ada@example.com")
    started = start(ports, ada, models=("small",))
    assert started.expires_us == ports.clock.now_us() + 7 * 86_400_000_000
    with pytest.raises(DemoUsed):
        start(ports, ada)
    wallet = load_wallet(ports.store, ada).wallet
    terms = wallet.terms[started.lot_id]
    assert (wallet.granted_nano, terms.expires_us, terms.aliases) == (50, started.expires_us, ("small",))


@pytest.mark.parametrize("again", ["ada@example.com", "ADA@example.com", "ada+2@example.com"])
def test_who_owns_two_accounts_gets_one(again: str) -> None:
    """By the address, in whatever way it is written; another person of the account does not matter, nor does another address."""
    ports = memory_ports()
    start(ports, account(ports, "ada@example.com"))
    with pytest.raises(DemoUsed):
        start(ports, account(ports, "ben@example.com", again))
    start(ports, account(ports, again, role="viewer"))
    start(ports, account(ports, "ben@example.com"))


def test_another_address_is_no_other_person() -> None:
    """Whoever has had one, and signs in with another address since, owns no account that gets one."""
    ports, person_id = memory_ports(), UUID(int=7)
    start(ports, account(ports, "ada@example.com", person_id=person_id))
    with pytest.raises(DemoUsed):
        start(ports, account(ports, "new@example.com", person_id=person_id))


def test_no_address_is_in_the_log() -> None:
    """A claim is named after a keyed hash."""
    ports = memory_ports()
    assert isinstance(ports.store, MemoryEventStore)
    start(ports, account(ports, "canary@example.com"))
    assert b"canary" not in b"".join(one.state for one in ports.store.log)


def test_only_an_open_account_and_sensible_days() -> None:
    """Nothing is granted otherwise."""
    ports = memory_ports()
    ada = account(ports)
    for days in (0, DAYS_MAX + 1):
        with pytest.raises(BadField):
            start(ports, ada, days=days)
    suspend = suspend_account.SuspendAccount(account_id=ada, reason="x")
    suspend_account.handle(suspend, actor=SYSTEM, ports=ports)
    with pytest.raises(WrongState):
        start(ports, ada)
    with pytest.raises(NotFound):
        start(ports, UUID(int=99))


def test_of_many_at_once_one_is_started() -> None:
    """Sixteen accounts of one owner."""
    ports = memory_ports()
    accounts = [account(ports, "ada@example.com") for _ in range(16)]

    def attempt(account_id: UUID) -> bool:
        try:
            start(ports, account_id)
        except DemoUsed:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(attempt, accounts)) == 1


def test_addresses_that_are_nobody_elses() -> None:
    """What stands behind a plus, and case, say nothing."""
    assert plain_address(" Ada+x+y@Example.com ") == "ada@example.com"
