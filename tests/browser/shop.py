"""An installation that sells credit, with a counterpart at which it is paid for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.browser.emulate import emulate
from tests.browser.installation import Operator, two_ports, up
from tests.browser.stripe_front import SECRET, Front, front

ENDPOINT_SECRET: Final = "whsec_of_our_endpoint_0123456789"
SELLER_ID: Final = "00000000-0000-0000-0000-0000000005e1"
SEED: Final = """
stripe:
  webhooks:
    - url: {hook}
      events: ["*"]
      secret: {secret}
"""


def open_shop(operator: Operator) -> None:
    """Credit on offer, and somebody who sells it and whose invoices are made by themselves."""
    operator(
        "/offers/set",
        currency="EUR",
        rate_num=10_000_000,
        packages=[{"amount_minor": 5_000, "bonus_nano": 1_000_000_000}],
        min_minor=500,
        max_minor=100_000,
        taxes=[{"country": "DE", "rate_ppm": 190_000}],
    )
    operator(
        "/sellers/set",
        seller_id=SELLER_ID,
        legal_name="Tokenok GmbH",
        address=["Musterweg 1", "10115 Berlin"],
        country="DE",
        tax_ids=[{"kind": "vat", "value": "DE123456789"}],
        zone="Europe/Berlin",
        email="billing@tokenok.example",
    )
    operator("/series/open", seller_id=SELLER_ID, kind="invoice", prefix="INV-")
    operator("/series/open", seller_id=SELLER_ID, kind="credit_note", prefix="CN-")
    operator("/invoicing/set", seller_id=SELLER_ID)


def bill_to_acme(operator: Operator, account_id: str) -> None:
    """Whom the documents of an account are for."""
    operator(
        "/billing/set",
        account_id=account_id,
        buyer_name="Acme GmbH",
        address=["Beispielallee 2", "20095 Hamburg"],
        country="DE",
        email="books@acme.example",
    )


@contextmanager
def shop(folder: Path) -> Iterator[tuple[dict[str, Any], Front]]:
    """Everything that runs, with the counterpart as Stripe."""
    port, console_port = two_ports()
    with front() as stripe, emulate(SEED.format(hook=stripe.hook, secret=SECRET)) as address:
        stripe.emulate, stripe.secret = address, ENDPOINT_SECRET
        stripe.gateway = f"http://127.0.0.1:{port}/webhooks/stripe"
        environment = {
            "PUBLIC_URL": f"http://127.0.0.1:{console_port}",
            "STRIPE_SECRET_KEY": "sk_live_walk",
            "STRIPE_WEBHOOK_SECRET": ENDPOINT_SECRET,
            "STRIPE_API_BASE": stripe.url,
        }
        ports = ("--port", str(port), "--console-port", str(console_port))
        with up(folder, *ports, **environment) as ready:
            yield ready, stripe
