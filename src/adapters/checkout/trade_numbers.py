"""Our own numbers of trades, for providers that ask for one: they name the order, which of its pages, and where there is room the account.

Small letters, digits and underscores: at most 31 characters without the account (WeChat Pay takes 32), 57 with it (Alipay takes 64).
"""

import re
from typing import Final
from uuid import UUID

import msgspec

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_CHARS: Final = 25  #: of 128 bits
_NUMBER: Final = re.compile(
    rf"([0-9a-z]{{{_CHARS}}})(?:_([0-9a-z]{{{_CHARS}}}))?_([1-9][0-9]{{0,4}})", re.ASCII
)


class Trade(msgspec.Struct, frozen=True):
    """What a number names."""

    order_id: UUID
    account_id: UUID | None


def trade_number(order_id: UUID, page: int, account_id: UUID | None = None) -> str:
    """The number of an order's page, counted from 1."""
    parts = [order_id] if account_id is None else [order_id, account_id]
    return "_".join([*(_written(one) for one in parts), str(page)])


def trade_of(number: str) -> Trade | None:
    """What a number names; none if it is not one of ours."""
    found = _NUMBER.fullmatch(number)
    if found is None:
        return None
    order_id, account_id = _read(found[1]), _read(found[2]) if found[2] else None
    if order_id is None or (found[2] and account_id is None):
        return None
    return Trade(order_id, account_id)


def _written(one: UUID) -> str:
    value, digits = one.int, []
    for _ in range(_CHARS):
        value, digit = divmod(value, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _read(text: str) -> UUID | None:
    value = int(text, len(_DIGITS))
    return UUID(int=value) if value < 1 << 128 else None
