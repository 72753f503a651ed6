"""Secrets stay out of sight."""

import pickle
import traceback

import msgspec
import pytest

from domain.secret import Secret


def test_a_secret_shows_in_no_text() -> None:
    """Not by repr, str, format, an encoder or a traceback; only by asking."""
    secret = Secret("canary")
    assert secret.reveal() == "canary"
    assert "canary" not in f"{secret} {secret!r} {secret:>20} {[secret]}"
    with pytest.raises(TypeError) as caught:
        msgspec.json.encode(secret)
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(TypeError):
        pickle.dumps(secret)
