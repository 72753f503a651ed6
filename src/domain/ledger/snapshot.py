"""Snapshots of a wallet: caches of its fold, so that a long stream need not be read from its start.

The events alone are the truth: a snapshot that cannot be used is ignored, and deleting all of them changes no
answer. Its bytes are a digest and msgpack; they belong to this code, not to auditors.
"""

from hashlib import blake2b

import msgspec

from domain.ledger.wallet import Wallet

FORMAT = 5
"""Raise it whenever `Wallet`, or what `evolve` makes of an event, changes: older snapshots are then ignored."""

_DIGEST_BYTES = 16


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """A wallet as of its version. `mark` is the `mark_of` the event of that version: the log must still have it."""

    format: int
    mark: bytes
    wallet: Wallet


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Snapshot)


def mark_of(state: bytes) -> bytes:
    """What tells an event from another one at the same version: a log that lost its tail may have another there."""
    return blake2b(state, digest_size=_DIGEST_BYTES).digest()


def encode_snapshot(wallet: Wallet, *, mark: bytes) -> bytes:
    """The wallet as of its version. Lots keep their order, in which they are lent."""
    content = _encoder.encode(Snapshot(FORMAT, mark, wallet))
    return mark_of(content) + content


def decode_snapshot(data: bytes) -> Snapshot | None:
    """The wallet as it was, to be folded on from its version; None for what is damaged or of another format."""
    digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if digest != mark_of(content):
        return None
    try:
        snapshot = _decoder.decode(content)
    except msgspec.DecodeError:
        return None
    return snapshot if snapshot.format == FORMAT else None
