"""Signed notes, checkpoints and proofs as files: known vectors, and what must not be believed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.sealing.ed25519 import Ed25519Signer, new_key, verify
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.sealing.notes import (
    BadKey,
    BadNote,
    PublicKey,
    key_name,
    open_note,
    public_key,
    sign_note,
    signature_line,
)
from domain.sealing.proof import Proof, read_proof
from tests.domain.sealing import naive

#: The example in the documentation of Go's package `golang.org/x/mod/sumdb/note`.
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT
    + (
        "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ).encode()
)

LOG = Ed25519Signer("example.com/log", bytes(range(32)))
OTHER = Ed25519Signer("example.com/other", bytes(reversed(range(32))))


def test_a_note_is_the_one_that_go_makes() -> None:
    """Same key, same text, same bytes; and their note opens here."""
    assert sign_note(GO_TEXT, Ed25519Signer.read(GO_PRIVATE)) == GO_NOTE
    text, signers = open_note(GO_NOTE, [public_key(GO_PUBLIC)], verify)
    assert text == GO_TEXT
    assert signers == (public_key(GO_PUBLIC),)


def test_keys_are_written_as_go_writes_them() -> None:
    """Reading and writing a key gives the same text."""
    assert public_key(GO_PUBLIC).text == GO_PUBLIC
    assert Ed25519Signer.read(GO_PRIVATE).public.text == GO_PUBLIC
    made = new_key("example.com/log")
    assert Ed25519Signer.read(made).public.name == "example.com/log"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    """A name, an id or a kind that is not right: such a key would verify nothing, or the wrong thing."""
    with pytest.raises(BadKey):
        public_key(text)


@pytest.mark.parametrize("text", [GO_PUBLIC, GO_PRIVATE[:-1], GO_PRIVATE.replace("c74f20a3", "c74f20a4")])
def test_what_is_no_private_key_is_refused_without_being_quoted(text: str) -> None:
    """The message names what is wrong and not what was read."""
    with pytest.raises(BadKey) as refusal:
        Ed25519Signer.read(text)
    assert "AYEK" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "{receipt", "ü", "a\n", "—", "a" * 256])
def test_a_name_cannot_be_taken_for_something_else(name: str) -> None:
    """No blanks and no plus, as the format asks; no brace at its head, so that no checkpoint looks like a receipt."""
    with pytest.raises(BadKey):
        key_name(name)


@given(bit=st.integers(0, len(GO_NOTE) * 8 - 1))
@example(bit=(len(GO_NOTE) - 1) * 8)
def test_every_bit_of_a_note_counts(bit: int) -> None:
    """P21 for notes: none of its bits can be changed."""
    forged = bytearray(GO_NOTE)
    forged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadNote):
        open_note(bytes(forged), [public_key(GO_PUBLIC)], verify)


@given(note=st.binary() | st.text().map(str.encode) | st.binary().map(lambda tail: GO_TEXT + b"\n" + tail))
def test_anything_else_is_refused_in_order(note: bytes) -> None:
    """Whatever comes, the answer is a refusal and not a fault."""
    with pytest.raises(BadNote):
        open_note(note, [public_key(GO_PUBLIC)], verify)


def test_signatures_of_strangers_are_passed_over() -> None:
    """Also of one with the same name and another key; alone they do not make a note believed."""
    namesake = Ed25519Signer("PeterNeumann", bytes(32))
    lines = b"".join(signature_line(one.public, one.sign(GO_TEXT)) for one in (LOG, namesake))
    assert open_note(GO_NOTE + lines, [public_key(GO_PUBLIC)], verify)[1] == (public_key(GO_PUBLIC),)
    with pytest.raises(BadNote):
        open_note(GO_TEXT + b"\n" + lines, [public_key(GO_PUBLIC)], verify)


def test_a_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    """Even beside a right one of another key that is trusted."""
    note = GO_NOTE + signature_line(LOG.public, LOG.sign(b"another text\n"))
    with pytest.raises(BadNote):
        open_note(note, [public_key(GO_PUBLIC), LOG.public], verify)


@pytest.mark.parametrize("lines", [101, 40_000])
def test_a_note_is_bounded(lines: int) -> None:
    """Too many signatures, or too many bytes, are refused unread."""
    note = GO_NOTE + signature_line(LOG.public, bytes(64)) * lines
    with pytest.raises(BadNote, match="too"):
        open_note(note, [public_key(GO_PUBLIC)], verify)


def test_a_checkpoint_comes_back() -> None:
    """Origin, size and root, of the log whose key has the origin's name."""
    note = sign_checkpoint(size=5, root=bytes(32), signer=LOG)
    assert note.startswith(b"example.com/log\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n")
    assert open_checkpoint(note, [LOG.public], verify) == Checkpoint("example.com/log", 5, bytes(32))


def test_a_log_may_say_more_than_we_read() -> None:
    """Extension lines are allowed by the format."""
    note = sign_note(Checkpoint(LOG.public.name, 5, bytes(32)).text + b"more\n", LOG)
    assert open_checkpoint(note, [LOG.public], verify).size == 5


def test_nobody_signs_for_another_log() -> None:
    """A trusted key of another name does not make a checkpoint of this log."""
    note = sign_note(Checkpoint(LOG.public.name, 5, bytes(32)).text, OTHER)
    with pytest.raises(BadNote):
        open_checkpoint(note, [LOG.public, OTHER.public], verify)


@pytest.mark.parametrize(
    "text",
    [
        b"example.com/log\n5\n",
        b"example.com/log\n05\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"example.com/log\n-5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"example.com/log\n5\nAAAA\n",
        b"example.com/log\n5\n" + b"A" * 42 + b"B=\n",
        b'{"receipt":"tokenok.receipt/v1"}\n',
    ],
)
def test_what_is_no_checkpoint_is_refused(text: bytes) -> None:
    """Also when the log has signed it."""
    with pytest.raises(BadNote):
        open_checkpoint(sign_note(text, LOG), [LOG.public], verify)


@given(size=st.integers(1, 40), data=st.data())
def test_a_proof_is_kept_in_a_file_and_checked_from_it(size: int, data: st.DataObject) -> None:
    """It holds for its leaf and for no other."""
    leaves = naive.some_leaves(size)
    index = data.draw(st.integers(0, size - 1))
    checkpoint = sign_checkpoint(size=size, root=naive.mth(leaves), signer=LOG)
    proof = Proof(index, tuple(naive.path(index, leaves)), checkpoint)
    found = read_proof(proof.text)
    assert found == proof
    assert found.check(leaves[index], [LOG.public], verify).size == size
    with pytest.raises(BadNote):
        found.check(naive.some_leaves(1, salt=b"another")[0], [LOG.public], verify)


def test_extra_data_of_a_proof_is_passed_over() -> None:
    """The format allows a line that nobody has signed."""
    checkpoint = sign_checkpoint(size=1, root=naive.some_leaves(1)[0], signer=LOG)
    text = Proof(0, (), checkpoint).text.replace(b"index 0", b"extra aGk=\nindex 0")
    assert read_proof(text) == Proof(0, (), checkpoint)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"c2sp.org/tlog-proof@v1\n\n",
        b"c2sp.org/tlog-proof@v2\nindex 0\n\n",
        b"c2sp.org/tlog-proof@v1\nindex 00\n\n",
        b"c2sp.org/tlog-proof@v1\nindex 0\nAA\n\n",
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"A" * 43 + b"=\n",
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + (b"A" * 43 + b"=\n") * 65 + b"\n",
    ],
)
def test_what_is_no_proof_is_refused(text: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(BadNote):
        read_proof(text)


def test_a_signature_of_another_length_is_not_right() -> None:
    """What the library would refuse as an argument is just a wrong signature."""
    assert not verify(LOG.public.key, b"short", b"text")
    assert not verify(b"short", bytes(64), b"text")
    assert PublicKey("example.com/log", LOG.public.key) == LOG.public
