"""What is written when a low balance is not recharged by itself."""

from collections.abc import Callable
from typing import Any

from application.mail.letters import AutoRechargeTrouble
from application.mail.message import Button


def auto_recharge(
    letter: AutoRechargeTrouble, _: Callable[[str], str], *, amount: str, again: str
) -> dict[str, Any]:
    """`again` is when it is tried again, where it is."""
    what = letter.what
    if what == "cap_reached":
        subject = _("This month's limit for automatic top-ups is reached")
        paragraphs = (
            _(
                "Your credit is low, and one more top-up would go beyond the limit that you have set for a month."
            ),
            _("Raise the limit, or top up by hand."),
        )
    elif what == "needs_customer":
        subject = _("Your bank asks you to confirm a payment")
        paragraphs = (
            _("Your credit is low. Your bank wants you to confirm the top-up yourself; nothing was charged."),
            _("Please pay the order. Nothing is topped up automatically while it is open."),
        )
    elif what == "declined":
        subject = _("Your automatic top-up was declined")
        paragraphs = (
            _("Your credit is low. Your payment method was declined; nothing was charged."),
            _(
                "If your credit is still low then, we try again from %(when)s on. Until then you can top up by hand."
            )
            % {"when": again},
        )
    else:
        subject = _("Automatic top-ups are off")
        paragraphs = (
            _("Your payment method was declined several times in a row. We do not try again.")
            if what == "off"
            else _("The amount that you have chosen is not on offer any more."),
            _("Switch automatic top-ups on again when you are ready. You can top up by hand at any time."),
        )
    button = _("Pay the order") if what == "needs_customer" else _("Top up")
    return {
        "subject": subject,
        "paragraphs": paragraphs,
        "facts": ((_("Limit for a month") if what == "cap_reached" else _("Amount"), amount),),
        "buttons": (Button(button, letter.recharge_link),) if letter.recharge_link else (),
    }
