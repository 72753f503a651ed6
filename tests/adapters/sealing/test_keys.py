"""The settings that hold keys."""

import pytest

from adapters.sealing.ed25519 import Ed25519Signer, new_key
from adapters.sealing.keys import parse_seal_keys
from domain.sealing.notes import BadKey


def test_a_private_key_signs_and_a_public_one_only_checks() -> None:
    """So gateways need not have what signs checkpoints."""
    private = new_key("example.com/log")
    keys = parse_seal_keys(f"{private}\n")
    assert keys.signer is not None
    public = parse_seal_keys(keys.public[0].text)
    assert public.signer is None
    assert public.public == keys.public


def test_public_keys_of_the_past_follow() -> None:
    """They are believed; the first one is in use."""
    private, past = new_key("example.com/log"), Ed25519Signer.read(new_key("example.com/log")).public
    keys = parse_seal_keys(f"{private},\n{past.text}")
    assert [key.text for key in keys.public] == [Ed25519Signer.read(private).public.text, past.text]


@pytest.mark.parametrize("text", ["", " ,\n", "k1:abc", new_key("a.b/c") + "," + new_key("a.b/c")])
def test_what_cannot_be_used_is_refused_unquoted(text: str) -> None:
    """Nothing, something else, or two private keys: which one would sign?"""
    with pytest.raises(BadKey) as refusal:
        parse_seal_keys(text)
    assert "PRIVATE+KEY+a" not in str(refusal.value)


def test_a_log_keeps_its_name() -> None:
    """A key of another log cannot go on with this one."""
    other = Ed25519Signer.read(new_key("example.com/other")).public.text
    with pytest.raises(BadKey, match="names"):
        parse_seal_keys(f"{new_key('example.com/log')},{other}")
