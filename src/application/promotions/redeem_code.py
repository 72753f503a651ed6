"""Turn a code into credit, once.

One append holds the code's end, the account's count and the wallet's lot, so each of the three alone makes a second
credit impossible, whoever tries at once.
"""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, append_decided, new_event, stamp
from application.eventlog import NewEvent
from application.ledger.wallet_reader import load_wallet, wallet_stream
from application.promotions.stream import load_batch, load_code
from domain.fact import Actor, Stamp
from domain.ledger.events import CreditLotGranted
from domain.operators import Permission
from domain.promotions import batch as rules
from domain.promotions.batch import code_stream, count_stream, lot_of
from domain.promotions.codes import BadCode, hash_of
from domain.refusal import Refusal, WrongState
from domain.secret import Secret

GUESSES_MAX: Final = 10
WINDOW_US: Final = 3600 * 1_000_000
"""So many wrong codes of an account within an hour; then the right one is not looked at either."""


class TooManyAttempts(Refusal):
    """The account has tried too many codes that there are not; nothing was looked up."""

    code: ClassVar[str] = "too_many_attempts"


class RedeemCode(Command, frozen=True, kw_only=True):
    """As it was given, in any case and with or without its hyphens."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    code: Secret


class Redeemed(msgspec.Struct, frozen=True, kw_only=True):
    """The credit, and when it ends."""

    lot_id: UUID
    amount_nano: int
    expires_us: int | None
    done: Done


def handle(command: RedeemCode, *, actor: Actor, ports: Ports) -> Redeemed:
    """Redeem it.

    Raises:
        NotFound, WrongState: there is no such account, or it is not open.
        TooManyAttempts: see there.
        BadCode, CodeUsed, CodeLimit, WrongState: as `batch.redeem`; nothing was stored.
    """
    account = load_account(ports.store, command.account_id)
    if account.status != "open":
        raise WrongState("account", account.status)
    at = stamp(ports, actor)
    bucket = ports.hasher.digest(b"redeem\0" + command.account_id.bytes)
    window = {"now_us": at.now_us, "since_us": at.now_us - WINDOW_US}
    if not ports.guesses.take(bucket, most=GUESSES_MAX, **window):
        raise TooManyAttempts("too many codes that do not exist; try again in an hour")
    is_guess = False
    try:
        return _redeem(command, at, ports)
    except BadCode:
        is_guess = True
        raise
    finally:
        if not is_guess:
            ports.guesses.give_back(bucket)


def _redeem(command: RedeemCode, at: Stamp, ports: Ports) -> Redeemed:
    code_hash = hash_of(command.code, ports.hasher)
    drafted: _Draft | None = None

    def decide() -> tuple[NewEvent, ...]:
        nonlocal drafted
        drafted = _draft(command.account_id, code_hash, at, ports)
        return drafted.group

    position = append_decided(ports.store, decide)
    assert drafted is not None  # it was stored
    granted = drafted.granted
    return Redeemed(
        lot_id=granted.lot_id,
        amount_nano=granted.amount_nano,
        expires_us=None if granted.expires_us is msgspec.UNSET else granted.expires_us,
        done=Done(version=drafted.group[-1].version, position=position, events=(granted,)),
    )


class _Draft(msgspec.Struct, frozen=True):
    granted: CreditLotGranted
    group: tuple[NewEvent, ...]


def _draft(account_id: UUID, code_hash: str, at: Stamp, ports: Ports) -> _Draft:
    """What is to be stored, as of now."""
    store, lot_id = ports.store, lot_of(code_hash)
    code = load_code(store, code_hash)
    batch = None if code is None else load_batch(store, code.batch_id)
    if batch is None:
        raise BadCode("there is no such code")
    batch_id = batch.issued.batch_id
    counted = len(store.read_stream(count_stream(batch_id, account_id)))
    used, count = rules.redeem(
        code, batch, redeemed_before=counted, account_id=account_id, lot_id=lot_id, stamp=at
    )
    wallet = load_wallet(store, account_id).wallet
    granted, *owed = rules.credit_of(batch, wallet, account_id=account_id, lot_id=lot_id, stamp=at)
    assert isinstance(granted, CreditLotGranted)
    first = wallet.version + 1
    return _Draft(
        granted,
        (
            new_event(code_stream(code_hash), 2, used),
            new_event(count_stream(batch_id, account_id), counted + 1, count),
            *(
                new_event(wallet_stream(account_id), number, one)
                for number, one in enumerate((granted, *owed), first)
            ),
        ),
    )
