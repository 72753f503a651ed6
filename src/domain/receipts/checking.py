"""What a receipt proves to somebody who has only it and public keys. Needs no network and no database."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from domain.receipts.formula import Formula
from domain.receipts.receipt import FORM
from domain.sealing.checking import BadProof
from domain.sealing.checkpoint import read_hash
from domain.sealing.notes import BadNote, PublicKey, Verify, open_note, receipts_name
from domain.sealing.proof import read_proof
from domain.sealing.tree import leaf_hash

_NOT_IN_EVENT: Final = ("charge_nano", "shortfall_nano")  # of a request that was not charged: nothing


class BadReceipt(Exception):
    """The file is no receipt, or something in it does not fit; nothing in it may be believed."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked and held; `log` is the log whose checkpoint covers the event, if the file has a proof."""

    request_id: str
    state: str
    charge_nano: int
    signed_by: str
    log: str | None
    log_size: int | None
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]


class _Event(msgspec.Struct):
    leaf_hash: str
    position: int
    stream_id: str
    version: int
    topic: str
    recorded_at_us: int


class _Signed(msgspec.Struct):
    """What of the signed line is looked at."""

    receipt: str
    request_id: str
    account_id: str
    state: str
    event: _Event
    formula: Formula | None
    hold_nano: int
    charge_nano: int
    shortfall_nano: int


class _File(msgspec.Struct):
    receipt: Any
    note: str | None
    proof: str | None = None
    leaf: str | None = None


class _Leaf(msgspec.Struct):
    position: int
    stream_id: str
    version: int
    topic: str
    recorded_at_us: int
    state: dict[str, Any]


def check_receipt(data: bytes, keys: Iterable[PublicKey], verify: Verify) -> Verdict:
    """Check all that can be checked with `keys`: at least the signature of the receipt.

    Raises:
        BadReceipt: something does not hold, or is not signed by one of `keys`. The message names it.
    """
    known = tuple(keys)
    try:
        return _Check(msgspec.json.decode(data, type=_File), known, verify).run()
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise BadReceipt(f"it is no receipt: {error}") from None
    except (BadNote, BadProof) as error:
        raise BadReceipt(str(error)) from None


class _Check:
    def __init__(self, file: _File, keys: tuple[PublicKey, ...], verify: Verify) -> None:
        self._file = file
        self._keys = keys
        self._verify = verify
        self._checked: list[str] = []
        self._not_checked: list[str] = []

    def run(self) -> Verdict:
        signed, signed_by = self._signature()
        self._figures(signed)
        self._line(signed)
        log = self._seal(signed, signed_by)
        return Verdict(
            request_id=signed.request_id,
            state=signed.state,
            charge_nano=signed.charge_nano,
            signed_by=signed_by,
            log=None if log is None else log[0],
            log_size=None if log is None else log[1],
            checked=tuple(self._checked),
            not_checked=tuple(self._not_checked),
        )

    def _signature(self) -> tuple[_Signed, str]:
        if self._file.note is None:
            raise BadReceipt("it is not signed")
        text, signers = open_note(self._file.note.encode(), self._keys, self._verify)
        if msgspec.json.decode(text) != self._file.receipt:
            raise BadReceipt("what is to be read is not what was signed")
        signed = msgspec.json.decode(text, type=_Signed)
        if signed.receipt != FORM:
            raise BadReceipt(f"it is of the form {signed.receipt}, which is not known here")
        self._checked.append("the signature")
        return signed, signers[0].name

    def _figures(self, signed: _Signed) -> None:
        cost_nano = 0
        if signed.formula is not None:
            if not signed.formula.is_right:
                raise BadReceipt("the formula is wrong")
            cost_nano = signed.formula.cost_nano
            self._checked.append("the formula")
        if signed.charge_nano + signed.shortfall_nano != cost_nano or signed.charge_nano > signed.hold_nano:
            raise BadReceipt("the charge is not what the formula says")
        self._checked.append("the charge")

    def _line(self, signed: _Signed) -> None:
        if self._file.leaf is None:
            self._not_checked.append("the event's line, which operators can show")
            return
        line = self._file.leaf.encode()
        if leaf_hash(line) != read_hash(signed.event.leaf_hash):
            raise BadReceipt("the event's line is not the one that was signed for")
        leaf = msgspec.json.decode(line, type=_Leaf)
        names = ("position", "stream_id", "version", "topic", "recorded_at_us")
        if any(getattr(leaf, name) != getattr(signed.event, name) for name in names):
            raise BadReceipt("the event's line is of another event")
        for name in ("request_id", "account_id", "hold_nano", *_NOT_IN_EVENT):
            if leaf.state.get(name, 0 if name in _NOT_IN_EVENT else None) != getattr(signed, name):
                raise BadReceipt(f"the event says something else of {name}")
        self._checked.append("the event's line")

    def _seal(self, signed: _Signed, signed_by: str) -> tuple[str, int] | None:
        if self._file.proof is None:
            self._not_checked.append("the seal: the event was not sealed when the receipt was made")
            return None
        proof = read_proof(self._file.proof.encode())
        log_keys = [key for key in self._keys if receipts_name(key.name) == signed_by]
        if not log_keys:
            self._not_checked.append("the seal: the public key of the log was not given")
            return None
        found = proof.check(read_hash(signed.event.leaf_hash), log_keys, self._verify)
        self._checked.append("the seal")
        return found.origin, found.size
