"""Alipay's amounts: yuan with at most two decimals, as text. Ours are fen."""

import re
from typing import Final

CURRENCY: Final = "CNY"
_AMOUNT: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)
_SIGNED: Final = re.compile(r"([+-]?)(\d{1,12}(?:\.\d{1,2})?)", re.ASCII)
_ZEROS: Final = re.compile(r"(?<=\.\d\d)0{1,4}$", re.ASCII)
_FEN: Final = 100


def yuan(amount_minor: int) -> str:
    return f"{amount_minor // _FEN}.{amount_minor % _FEN:02}"


def fen(text: str) -> int | None:
    """None for what is no such amount: nothing is concluded from it."""
    found = _AMOUNT.fullmatch(text)
    return None if found is None else int(found[1]) * _FEN + int((found[2] or "").ljust(2, "0"))


def signed_fen(text: str) -> int | None:
    """Of a bill, which may have a sign, and zeros after the fen; otherwise as `fen`."""
    found = _SIGNED.fullmatch(_ZEROS.sub("", text))
    amount_minor = None if found is None else fen(found[2])
    if found is None or amount_minor is None:
        return None
    return -amount_minor if found[1] == "-" else amount_minor
