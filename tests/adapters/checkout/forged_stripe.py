"""What a forger may send in Stripe's name."""

import time

from tests.adapters.checkout.signed import FORGED, NO_MESSAGES, NOW_S, OTHER, SECRET, body, header

Message = tuple[bytes, list[tuple[str, str]]]
_SECRETS = ("", "None", "null", "undefined", "whsec_", OTHER, "sk_test_0123456789", SECRET[::-1])


def forged_stripe(session_ref: str) -> dict[str, Message]:
    """About this page, or about anything else."""
    now_s = int(time.time())
    about = body(data={"object": {"id": session_ref}})
    cases: dict[str, Message] = {}
    for name, headers in FORGED.items():
        fresh = [(key, value.replace(str(NOW_S), str(now_s))) for key, value in headers]
        cases[f"forged: {name}"] = (body(), [(key, value) for key, value in fresh if value.isascii()])
    for name, raw in NO_MESSAGES.items():
        cases[f"no message: {name}"] = (raw, [("stripe-signature", header(raw, at_s=now_s))])
    for secret in _SECRETS:
        cases[f"secret {secret!r}"] = (
            about,
            [("stripe-signature", header(about, secret=secret, at_s=now_s))],
        )
    for off_s in (-86_400, -1_000, 1_000, 86_400):
        cases[f"off by {off_s} s"] = (about, [("stripe-signature", header(about, at_s=now_s + off_s))])
    return cases
