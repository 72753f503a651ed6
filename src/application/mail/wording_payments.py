"""What is written when an order on account is to be paid."""

from collections.abc import Callable
from typing import Any

from application.mail.letters import PaymentDue
from application.mail.message import Button


def payment_due(letter: PaymentDue, _: Callable[[str], str], *, amount: str, day: str) -> dict[str, Any]:
    """`day` is the last on which it is in time."""
    if letter.is_overdue:
        subject = _("A payment is overdue")
        what = _("An order on account was to be paid by %(day)s, and we have not seen the transfer yet.")
        more = _(
            "Until it is paid nothing more can be bought on account. If you have just paid, ignore this mail."
        )
    else:
        subject = _("A payment is due soon")
        what = _("An order on account is to be paid by %(day)s.")
        more = _("If you have paid already, ignore this mail.")
    return {
        "subject": subject,
        "paragraphs": (what % {"day": day}, more),
        "facts": (
            (_("Amount"), amount),
            (_("Due date"), day),
            (_("Reference"), letter.reference),
        ),
        "buttons": (Button(_("See the order"), letter.order_link),) if letter.order_link else (),
    }
