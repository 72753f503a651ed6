"""One account's statement by two programs that share no code, in the same words so that they can be compared."""

from collections import Counter
from typing import Any, Final

import msgspec

from application.reports.statement import CHARGE, Statement

#: What the read model calls lines that are no charge, by the account of the books that the auditor names.
_KINDS: Final = {"issued": "void", "breakage": "expiry"}
_KINDS_OF: Final = {
    "wallet.credit-lot-granted.v1": "grant",
    "wallet.adjustment-posted.v1": "adjustment",
    "wallet.frozen-credit-taken.v1": "refund",
    "wallet.taken-credit-restored.v1": "refund_failed",
    "wallet.receivable-settled.v1": "debt",
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement says, in nano-credits."""

    opening_nano: int
    totals_nano: dict[str, int]  #: by kind of movement
    charged_nano: dict[str, int]  #: by key, as the account sees it: negative
    closing_nano: int


def by_the_read_model(read: Statement) -> Told:
    """Of a statement that fits on one page."""
    assert read.next_after is None
    keys: Counter[str] = Counter()
    for line in read.lines:
        if line.kind == CHARGE and line.amount_nano:
            keys[str(line.key_id)] += line.amount_nano
    return Told(
        opening_nano=read.opening_nano,
        totals_nano={kind: amount_nano for kind, amount_nano in read.totals_nano.items() if amount_nano},
        charged_nano=dict(keys),
        closing_nano=read.closing_nano,
    )


def by_the_auditor(audited: Any) -> Told:
    """Of what `tokenok_audit.py` prints as `statement`."""
    totals: Counter[str] = Counter()
    for line in audited["lines"]:
        other = line["account"]
        kind = CHARGE if other == "usage" else _KINDS_OF.get(line["topic"]) or _KINDS.get(other, other)
        totals[kind] += line["amount_nano"]
    return Told(
        opening_nano=audited["opening_nano"],
        totals_nano=dict(totals),
        charged_nano={one["key_id"]: -one["charged_nano"] for one in audited["keys"]},
        closing_nano=audited["closing_nano"],
    )
