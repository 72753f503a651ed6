"""Signatures: what the official library of Standard Webhooks takes, and nothing that was changed."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given as always
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from domain.hooks.retrying import TRIES_MAX, WAITS_S, has_arrived, wait_s
from domain.hooks.signing import SECRET_BYTES, headers_of, new_secret
from domain.secret import Secret

FIRST, SECOND = (new_secret(bytes([number]) * SECRET_BYTES) for number in (1, 2))


def now_s() -> int:
    return int(datetime.now(tz=UTC).timestamp())


def named(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers}


def test_a_secret_says_what_it_is_for() -> None:
    """`whsec_` and the bytes in base64; it does not show in a repr."""
    text = FIRST.reveal()
    assert text == "whsec_" + base64.b64encode(b"\x01" * SECRET_BYTES).decode()
    assert text not in repr(FIRST)


@always(body=st.binary(max_size=200), entropy=st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES))
def test_the_official_library_takes_what_we_sign(body: bytes, entropy: bytes) -> None:
    """Whatever the secret; JSON is read after the signature was found good."""
    secret = new_secret(entropy)
    body = b'{"data": "' + base64.b64encode(body) + b'"}'
    headers = named(headers_of("msg_1", body, secrets=[secret], at_s=now_s()))
    Webhook(secret.reveal()).verify(body, headers)


def test_each_of_two_secrets_verifies_within_the_overlap() -> None:
    """And no third one does."""
    headers = named(headers_of("msg_1", b"{}", secrets=[SECOND, FIRST], at_s=now_s()))
    for secret in (FIRST, SECOND):
        Webhook(secret.reveal()).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(b"\x03" * SECRET_BYTES).reveal()).verify(b"{}", headers)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "body", "old"])
def test_what_was_changed_or_is_old_is_refused(name: str) -> None:
    """Id, time and body are signed."""
    at_s = now_s() - (3600 if name == "old" else 0)
    headers = named(headers_of("msg_1", b"{}", secrets=[FIRST], at_s=at_s))
    body = b"[]" if name == "body" else b"{}"
    if name.startswith("webhook-"):
        changed = {"webhook-id": "msg_2", "webhook-timestamp": str(at_s + 1), "webhook-signature": "v1,AAAA"}
        headers[name] = changed[name]
    with pytest.raises(WebhookVerificationError):
        Webhook(FIRST.reveal()).verify(body, headers)


def test_waits_grow_and_end() -> None:
    """Ten tries in three days and some hours; a spread makes a wait at most a fifth longer."""
    assert [wait_s(tries, spread=0) for tries in range(1, TRIES_MAX + 1)] == [*WAITS_S, None]
    assert list(WAITS_S) == sorted(WAITS_S)
    assert 3 * 86_400 < sum(WAITS_S) < 4 * 86_400
    assert wait_s(1, spread=1.0) == WAITS_S[0] * 1.2
    assert [status for status in (0, 199, 200, 204, 299, 300, 302, 410, 500) if has_arrived(status)] == [
        200,
        204,
        299,
    ]


def test_an_empty_list_of_secrets_signs_nothing() -> None:
    """A receiver refuses it."""
    headers = named(headers_of("msg_1", b"{}", secrets=list[Secret](), at_s=now_s()))
    with pytest.raises(WebhookVerificationError):
        Webhook(FIRST.reveal()).verify(b"{}", headers)
