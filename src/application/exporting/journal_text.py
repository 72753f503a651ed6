"""Journals as Beancount and hledger read them."""

from collections.abc import Iterable, Iterator
from typing import Final

from application.exporting.journal import Account, Leg, Transaction

_NANO: Final = 10**9
_UNIT: Final = "CREDIT"
_EPOCH: Final = "1970-01-01"


def beancount(found: Iterable[Transaction]) -> Iterator[str]:
    """A file for Beancount: every account is opened, with what it stands for."""
    transactions = list(found)
    yield 'option "title" "Tokenok, the credit ledger"\n'
    yield f"{_EPOCH} commodity {_UNIT}\n"
    for account in _accounts(transactions):
        yield f"{_EPOCH} open {account.name} {_UNIT}\n  stands-for: {_quoted(account.words)}\n"
    for one in transactions:
        yield f'\n{one.day} * "{one.topic}"\n'
        yield f"  first-position: {one.first_position}\n  last-position: {one.last_position}\n"
        yield from (f"  {leg.account.name}  {_amount(leg)} {_UNIT}\n" for leg in one.legs)


def hledger(found: Iterable[Transaction]) -> Iterator[str]:
    """A file for hledger: every account is declared, with what it stands for."""
    transactions = list(found)
    yield f"commodity 1.000000000 {_UNIT}\n"
    for account in _accounts(transactions):
        yield f"account {account.name}\n    ; stands-for: {_plain(account.words)}\n"
    for one in transactions:
        yield f"\n{one.day} * {one.topic}\n"
        yield f"    ; first-position: {one.first_position}\n    ; last-position: {one.last_position}\n"
        yield from (f"    {leg.account.name}  {_amount(leg)} {_UNIT}\n" for leg in one.legs)


def _accounts(transactions: list[Transaction]) -> list[Account]:
    return sorted({leg.account for one in transactions for leg in one.legs})


def _amount(leg: Leg) -> str:
    """Credits with nine digits behind the point, exactly."""
    whole, rest = divmod(abs(leg.amount_nano), _NANO)
    return f"{'-' if leg.amount_nano < 0 else ''}{whole}.{rest:09d}"


def _plain(words: str) -> str:
    """On one line, without what could end or steer it."""
    return "".join(character if character.isprintable() else " " for character in words)


def _quoted(words: str) -> str:
    escaped = _plain(words).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
