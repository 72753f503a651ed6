"""P18: whose message it is, and of when."""

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from adapters.checkout.stripe import StripeCheckout
from adapters.checkout.stripe_signature import AGE_S_MAX, check_signature
from application.checkout.ports import BadNotice
from tests.adapters.checkout.signed import (
    FORGED,
    NO_MESSAGES,
    NOW_S,
    OTHER,
    SECRET,
    body,
    digest,
    header,
    headers,
)

RAW = body()


def _check(raw: bytes, given_headers: list[tuple[str, str]], *, secrets: tuple[str, ...] = (SECRET,)) -> None:
    check_signature(raw, given_headers, secrets=secrets, now_s=NOW_S)


def test_what_stripes_own_library_signs_and_accepts_is_accepted() -> None:
    """The library is the oracle for what is right."""
    stripe.WebhookSignature.verify_header(RAW.decode(), header(RAW), SECRET, tolerance=None)
    _check(RAW, headers(RAW))


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_refused(name: str) -> None:
    """With the one error that becomes a 400."""
    with pytest.raises(BadNotice):
        _check(RAW, FORGED[name])


@given(st.integers(0, len(RAW) - 1), st.integers(0, 7))
def test_any_changed_bit_is_noticed(place: int, bit: int) -> None:
    """Wherever it is."""
    changed = bytearray(RAW)
    changed[place] ^= 1 << bit
    with pytest.raises(BadNotice):
        _check(bytes(changed), headers(RAW))


@given(st.text(max_size=300))
def test_no_header_makes_anything_but_a_refusal(text: str) -> None:
    """Whatever it is made of."""
    with pytest.raises(BadNotice):
        _check(RAW, [("stripe-signature", text)])


@pytest.mark.parametrize("off_s", [-AGE_S_MAX, 0, AGE_S_MAX])
def test_five_minutes_are_allowed_either_way(off_s: int) -> None:
    """A second more is not (see what is forged); Stripe's own library would take any time in the future."""
    _check(RAW, headers(RAW, at_s=NOW_S + off_s))


def test_two_secrets_are_good_while_one_is_exchanged() -> None:
    """And a message may be signed with both."""
    both = (OTHER, SECRET)
    _check(RAW, headers(RAW), secrets=both)
    _check(RAW, headers(RAW, secret=OTHER), secrets=both)
    signed = f"{header(RAW, secret=OTHER)},v1={digest(RAW)},v0=00"
    _check(RAW, [("stripe-signature", signed)])


@pytest.mark.parametrize("name", NO_MESSAGES)
def test_signed_bytes_that_are_no_message_are_refused(name: str) -> None:
    """By the same error, whatever stands in them."""
    raw = NO_MESSAGES[name]
    checkout = StripeCheckout(secret_key="sk_test_x", webhook_secrets=[SECRET])
    with pytest.raises(BadNotice):
        checkout.verify(raw, headers(raw), now_us=NOW_S * 1_000_000)


def test_a_message_says_what_to_ask_for() -> None:
    """Of a connected account nothing: its objects are not ours."""
    checkout = StripeCheckout(secret_key="sk_test_x", webhook_secrets=[SECRET])
    notice = checkout.verify(RAW, headers(RAW), now_us=NOW_S * 1_000_000)
    assert (notice.event_ref, notice.object_ref, notice.mode) == ("evt_1", "cs_1", "test")
    foreign = body(account="acct_1")
    assert checkout.verify(foreign, headers(foreign), now_us=NOW_S * 1_000_000).object_ref == ""
    live = body(livemode=True)
    assert checkout.verify(live, headers(live), now_us=NOW_S * 1_000_000).mode == "live"
