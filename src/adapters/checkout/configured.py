"""Which payment providers are set up. One without its secret is off, not open."""

from typing import Final

from application.checkout.ports import Checkouts

_SECRET_CHARS_MIN: Final = 16
_KEYS: Final = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")


def configured(
    *, stripe_secret_key: str, stripe_webhook_secret: str, stripe_api_base: str, public_url: str
) -> Checkouts:
    """The providers whose secrets are given.

    Raises:
        ValueError: some settings of one, and not all; the message names the variable and no secret.
    """
    if not stripe_secret_key and not stripe_webhook_secret:
        return Checkouts()
    if not stripe_secret_key.startswith(_KEYS):
        raise ValueError(f"STRIPE_SECRET_KEY must begin with one of {', '.join(_KEYS)}")
    secrets = [one.strip() for one in stripe_webhook_secret.split(",")]
    if any(len(one) < _SECRET_CHARS_MIN for one in secrets):
        raise ValueError(
            "STRIPE_WEBHOOK_SECRET must be the signing secret of the endpoint, or two with a comma"
        )
    if not public_url.startswith(("https://", "http://")):
        raise ValueError("PUBLIC_URL must be set: payment providers send customers back there")
    # The library takes most of a second to load; who has no use for it does not wait for it.
    from adapters.checkout.stripe import StripeCheckout  # noqa: PLC0415  # see above

    return Checkouts(
        [StripeCheckout(secret_key=stripe_secret_key, webhook_secrets=secrets, api_base=stripe_api_base)]
    )
