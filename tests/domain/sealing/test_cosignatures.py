"""Cosignatures: the form of C2SP tlog-cosignature, and what is not taken for one."""

import base64
import hashlib

import pytest

from adapters.sealing.ed25519 import Ed25519Signer, verify
from domain.sealing.cosignatures import WitnessKey, cosign, cosignatures_of, witness_key
from domain.sealing.notes import BadKey, BadNote, public_key
from tests.application.sealing.sealed_world import SealedWorld

WITNESS = Ed25519Signer("witness.example/w1", bytes(range(32, 64)))
KEY = WitnessKey(WITNESS.public.name, WITNESS.public.key)
TIME_S = 1_764_000_000


def _note() -> bytes:
    world = SealedWorld()
    world.add(3)
    world.seal()
    note = world.directory.checkpoint()
    assert note is not None
    return note


def test_a_cosignature_is_what_the_document_says() -> None:
    """Key id over 0x04, eight bytes of time, and a signature over two lines before the checkpoint's text."""
    note = _note()
    text = note.partition(b"\n\n")[0] + b"\n"
    line = cosign(text, time_s=TIME_S, signer=WITNESS)
    dash, name, encoded = line.decode().rstrip("\n").split(" ")
    data = base64.b64decode(encoded)
    assert (dash, name) == ("—", "witness.example/w1")
    assert data[:4] == hashlib.sha256(b"witness.example/w1\n\x04" + KEY.key).digest()[:4]
    assert int.from_bytes(data[4:12], "big") == TIME_S
    assert verify(KEY.key, data[12:], f"cosignature/v1\ntime {TIME_S}\n".encode() + text)
    (found,) = cosignatures_of(note + line, [KEY], verify)
    assert (found.name, found.time_s, found.line) == (KEY.name, TIME_S, line)


def test_a_key_of_a_witness_is_no_key_of_a_log() -> None:
    """The same key has another id and kind for each."""
    assert witness_key(KEY.text) == KEY
    for read, text in (
        (public_key, KEY.text),
        (witness_key, WITNESS.public.text),
        (witness_key, KEY.text + "="),
    ):
        with pytest.raises(BadKey):
            read(text)


def test_what_does_not_fit_is_refused_and_what_is_unknown_passed_over() -> None:
    """Another time, text or signature is no mistake to overlook; another witness is none of ours."""
    note = _note()
    text = note.partition(b"\n\n")[0] + b"\n"
    line = cosign(text, time_s=TIME_S, signer=WITNESS)
    data = bytearray(base64.b64decode(line.split(b" ")[2]))
    for place in (4, 11, 12, 75):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(BadNote):
            cosignatures_of(
                note + "— witness.example/w1 ".encode() + base64.b64encode(changed) + b"\n", [KEY], verify
            )
    other = cosign(text + b"more\n", time_s=TIME_S, signer=WITNESS)
    with pytest.raises(BadNote):
        cosignatures_of(note + other, [KEY], verify)
    stranger = WitnessKey("witness.example/w2", KEY.key)
    assert cosignatures_of(note + line, [stranger], verify) == ()
    assert len(cosignatures_of(note + line + line, [KEY], verify)) == 1
