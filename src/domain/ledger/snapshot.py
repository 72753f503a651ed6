"""Snapshots of a wallet: caches of its fold, so that a long stream need not be read from its start.

The events alone are the truth: a snapshot that cannot be used is ignored, and deleting all of them changes no
answer. Its bytes are a digest and msgpack; they belong to this code, not to auditors.
"""

from hashlib import blake2b

import msgspec

from domain.ledger.wallet import Wallet

FORMAT = 1
"""Raise it whenever `Wallet`, or what `evolve` makes of an event, changes: older snapshots are then ignored."""

_DIGEST_BYTES = 16


class _Snapshot(msgspec.Struct, frozen=True, array_like=True):
    format: int
    wallet: Wallet


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Snapshot)


def encode_wallet(wallet: Wallet) -> bytes:
    """The wallet as of its version. Lots keep their order, in which they are lent."""
    content = _encoder.encode(_Snapshot(FORMAT, wallet))
    return _digest(content) + content


def decode_wallet(data: bytes) -> Wallet | None:
    """The wallet as it was, to be folded on from its version; None for what is damaged or of another format."""
    digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if digest != _digest(content):
        return None
    try:
        snapshot = _decoder.decode(content)
    except msgspec.DecodeError:
        return None
    return snapshot.wallet if snapshot.format == FORMAT else None


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()
