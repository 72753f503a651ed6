"""Codes become credit: once, whoever tries at once, and for nobody who guesses."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from application.accounts import open_account, suspend_account
from application.command import Ports
from application.ledger.wallet_reader import load_wallet
from application.promotions import issue_codes, redeem_code, withdraw_codes
from application.promotions.issue_codes import IssuedCodes
from application.promotions.redeem_code import GUESSES_MAX, WINDOW_US, Redeemed, TooManyAttempts
from domain.fact import SYSTEM, Actor
from domain.promotions.batch import CodeLimit, CodeUsed
from domain.promotions.codes import BadCode
from domain.refusal import NotFound, WrongState
from domain.secret import Secret
from tests.fakes import ManualClock, MemoryEventStore, memory_ports

WRONG = Secret("TOK-00000-00000-00000-00000")
MEMBER = Actor("member", UUID(int=9))


def batch(ports: Ports, *, count: int = 3, per_account: int = 1) -> IssuedCodes:
    command = issue_codes.IssueCodes(
        count=count, amount_nano=50, note="fair", per_account=per_account, credit_days=30
    )
    return issue_codes.handle(command, actor=SYSTEM, ports=ports)


def account(ports: Ports) -> UUID:
    return open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=ports).id


def redeem(ports: Ports, account_id: UUID, code: Secret) -> Redeemed:
    command = redeem_code.RedeemCode(account_id=account_id, code=code)
    return redeem_code.handle(command, actor=MEMBER, ports=ports)


def test_a_code_is_credited_once_with_its_end() -> None:
    """A second time it is refused, to its account and to another; nothing is added."""
    ports = memory_ports()
    ada, ben = account(ports), account(ports)
    code = batch(ports).codes[0]
    redeemed = redeem(ports, ada, code)
    assert redeemed.amount_nano == 50
    assert redeemed.expires_us == ports.clock.now_us() + 30 * 86_400_000_000
    for account_id in (ada, ben):
        with pytest.raises(CodeUsed):
            redeem(ports, account_id, code)
    wallet = load_wallet(ports.store, ada).wallet
    assert (wallet.granted_nano, set(wallet.lots)) == (50, {redeemed.lot_id})
    assert load_wallet(ports.store, ben).wallet.granted_nano == 0


def test_no_code_is_in_the_log_nor_in_a_repr() -> None:
    """What is kept is a keyed hash, which names a stream."""
    ports = memory_ports()
    assert isinstance(ports.store, MemoryEventStore)
    made = batch(ports)
    redeem(ports, account(ports), made.codes[0])
    stored = b"".join(one.state for one in ports.store.log).decode()
    for code in made.codes:
        assert code.reveal() not in stored
        assert code.reveal()[4:] not in f"{stored}{made!r}"
    assert len({code.reveal() for code in made.codes}) == 3


def test_an_account_redeems_as_many_as_the_batch_allows() -> None:
    """Others may redeem the rest, and the account one of another batch."""
    ports = memory_ports()
    ada, ben = account(ports), account(ports)
    first = batch(ports, per_account=2)
    for code in first.codes[:2]:
        redeem(ports, ada, code)
    with pytest.raises(CodeLimit):
        redeem(ports, ada, first.codes[2])
    redeem(ports, ben, first.codes[2])
    redeem(ports, ada, batch(ports).codes[0])
    assert load_wallet(ports.store, ada).wallet.granted_nano == 150


def test_a_withdrawn_batch_gives_nothing_more() -> None:
    """What was redeemed stays."""
    ports = memory_ports()
    ada, made = account(ports), batch(ports)
    redeem(ports, ada, made.codes[0])
    command = withdraw_codes.WithdrawCodes(batch_id=made.batch_id, reason="leaked")
    withdraw_codes.handle(command, actor=SYSTEM, ports=ports)
    with pytest.raises(WrongState, match="withdrawn"):
        redeem(ports, account(ports), made.codes[1])
    assert load_wallet(ports.store, ada).wallet.granted_nano == 50


def test_who_guesses_is_not_listened_to_for_an_hour() -> None:
    """Not even with a good code; another account is, and later the same one too. Good codes count for nothing."""
    ports = memory_ports()
    assert isinstance(ports.clock, ManualClock)
    ada, made = account(ports), batch(ports, per_account=3)
    redeem(ports, ada, made.codes[0])
    for _ in range(GUESSES_MAX):
        with pytest.raises(BadCode):
            redeem(ports, ada, WRONG)
    with pytest.raises(TooManyAttempts):
        redeem(ports, ada, made.codes[1])
    redeem(ports, account(ports), made.codes[2])
    ports.clock.move(WINDOW_US / 1e6 + 1)
    redeem(ports, ada, made.codes[1])


def test_only_an_open_account_redeems() -> None:
    """The code stays good."""
    ports = memory_ports()
    ada, made = account(ports), batch(ports)
    suspend = suspend_account.SuspendAccount(account_id=ada, reason="x")
    suspend_account.handle(suspend, actor=SYSTEM, ports=ports)
    with pytest.raises(WrongState):
        redeem(ports, ada, made.codes[0])
    with pytest.raises(NotFound):
        redeem(ports, UUID(int=77), made.codes[0])
    redeem(ports, account(ports), made.codes[0])


def test_of_many_at_once_one_is_credited() -> None:
    """Sixteen accounts with one code; and one account with sixteen codes of a batch of which it may redeem two."""
    ports = memory_ports()
    accounts = [account(ports) for _ in range(16)]
    code = batch(ports).codes[0]
    many = batch(ports, count=16, per_account=2).codes

    def attempt(account_id: UUID, one: Secret) -> bool:
        try:
            redeem(ports, account_id, one)
        except (CodeUsed, CodeLimit):
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda one: attempt(one, code), accounts)) == 1
        assert sum(threads.map(lambda one: attempt(accounts[0], one), many)) == 2
    granted = sum(load_wallet(ports.store, one).wallet.granted_nano for one in accounts)
    assert granted == 150


def test_a_lost_race_for_the_wallet_is_run_again() -> None:
    """Another grant comes in between; the code is credited behind it."""
    ports = memory_ports()
    assert isinstance(ports.store, MemoryEventStore)
    ada, made = account(ports), batch(ports, per_account=2)
    ports.store.before_append = lambda: redeem(ports, ada, made.codes[1])
    redeem(ports, ada, made.codes[0])
    assert load_wallet(ports.store, ada).wallet.granted_nano == 100
