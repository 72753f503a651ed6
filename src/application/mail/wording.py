"""Letters in the words of their reader's language.

What somebody else has chosen (a workspace's name, what a browser calls itself) stands in the text only, and such that no mail
program makes a link of it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from gettext import NullTranslations
from typing import Any, Final

from application.i18n import formats
from application.i18n.catalogues import load_catalogue
from application.i18n.locales import Locale
from application.mail import letters
from application.mail.letters import AnyLetter, Role
from application.mail.message import Button, Message
from application.mail.wording_payments import payment_due
from application.mail.wording_recharges import auto_recharge
from application.mail.wording_ways_in import (
    address_changed,
    address_taken,
    confirm_address,
    passkey_added,
    passkey_removed,
    second_factor_changed,
)

DOMAIN: Final = "mails"
_WHOLE: Final = 100
_HOUR_MINUTES: Final = 60
_WORD_JOINER: Final = "\u2060"


@cache
def texts(locale: Locale) -> NullTranslations:
    """The catalogue of mails; it does not change while the process lives."""
    return load_catalogue(DOMAIN, locale)


def quoted(text: str) -> str:
    """Text of others: an address in it is read, and not followed."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown.replace(".", f".{_WORD_JOINER}").replace("://", f":{_WORD_JOINER}//")


def message_of(letter: AnyLetter, locale: Locale, *, sender: str) -> Message:
    """What the mail says."""
    pen = _Pen(locale)
    said = _WRITERS[type(letter)](pen, letter)
    _ = pen.gettext
    return Message(
        locale=locale,
        link_note=_("If a button does not work, open its address in your browser:"),
        sender=sender,
        closing=_("This mail was sent by %(sender)s. Answers to it are not read.") % {"sender": sender},
        **said,
    )


class _Pen:
    """Words and formats of one language; a method for each letter."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.gettext, self.ngettext = texts(locale).gettext, texts(locale).ngettext

    def _once(self, minutes: int) -> str:
        """As people count: whole hours are hours."""
        hours, rest = divmod(minutes, _HOUR_MINUTES)
        if hours and not rest:
            text = self.ngettext(
                "The link works once, for %(n)s hour.", "The link works once, for %(n)s hours.", hours
            )
            return text % {"n": formats.number(hours, locale=self.locale)}
        text = self.ngettext(
            "The link works once, for %(n)s minute.", "The link works once, for %(n)s minutes.", minutes
        )
        return text % {"n": formats.number(minutes, locale=self.locale)}

    def _when(self, time_us: int, zone: str) -> str:
        return formats.moment(time_us, zone=zone, locale=self.locale)

    def _credits(self, amount_nano: int) -> str:
        return formats.credit(amount_nano, locale=self.locale)

    def _money(self, amount_minor: int, currency: str, exponent: int) -> str:
        return formats.money(amount_minor, currency=currency, exponent=exponent, locale=self.locale)

    def verify_email(self, letter: letters.VerifyEmail) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("Confirm your e-mail address"),
            "paragraphs": (
                _("Please confirm that this address is yours."),
                self._once(letter.valid_minutes),
            ),
            "buttons": (Button(_("Confirm address"), letter.link),),
            "notes": (_("If you did not sign up, ignore this mail: nothing happens."),),
        }

    def already_registered(self, letter: letters.AlreadyRegistered) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("You already have an account"),
            "paragraphs": (
                _("Somebody, perhaps you, signed up with this address."),
                _("It has an account already, so no new one was made."),
            ),
            "buttons": (
                Button(_("Sign in"), letter.sign_in_link),
                Button(_("Set a new password"), letter.reset_link),
            ),
            "notes": (_("If it was not you, you need not do anything."),),
        }

    def reset_password(self, letter: letters.ResetPassword) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("Set a new password"),
            "paragraphs": (
                _("Somebody, perhaps you, asked for a new password for this address."),
                self._once(letter.valid_minutes),
            ),
            "buttons": (Button(_("Set a new password"), letter.link),),
            "notes": (_("If it was not you, ignore this mail: your password stays as it is."),),
        }

    def password_changed(self, letter: letters.PasswordChanged) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("Your password was changed"),
            "paragraphs": (_("The password of your account was changed."),),
            "facts": ((_("When"), self._when(letter.at_us, letter.zone)),),
            "buttons": (Button(_("Set a new password"), letter.reset_link),),
            "notes": (_("If it was not you, set a new password at once."),),
        }

    def confirm_address(self, letter: letters.ConfirmAddress) -> dict[str, Any]:
        return confirm_address(letter, self.gettext, once=self._once(letter.valid_minutes))

    def address_taken(self, letter: letters.AddressTaken) -> dict[str, Any]:
        return address_taken(letter, self.gettext)

    def address_changed(self, letter: letters.AddressChanged) -> dict[str, Any]:
        when, once = self._when(letter.at_us, letter.zone), self._once(letter.valid_minutes)
        return address_changed(letter, self.gettext, when=when, once=once)

    def passkey_added(self, letter: letters.PasskeyAdded) -> dict[str, Any]:
        return passkey_added(letter, self.gettext, when=self._when(letter.at_us, letter.zone))

    def passkey_removed(self, letter: letters.PasskeyRemoved) -> dict[str, Any]:
        return passkey_removed(letter, self.gettext, when=self._when(letter.at_us, letter.zone))

    def second_factor_changed(self, letter: letters.SecondFactorChanged) -> dict[str, Any]:
        return second_factor_changed(letter, self.gettext, when=self._when(letter.at_us, letter.zone))

    def new_sign_in(self, letter: letters.NewSignIn) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("New sign-in to your account"),
            "paragraphs": (
                _("Somebody signed in to your account with a browser that we had not seen before."),
            ),
            "facts": (
                (_("When"), self._when(letter.at_us, letter.zone)),
                (_("Network address"), quoted(letter.address)),
                (_("Browser"), quoted(letter.agent)),
            ),
            "buttons": (Button(_("See where I am signed in"), letter.sessions_link),),
            "notes": (_("If it was not you, end that session and change your password."),),
        }

    def invitation(self, letter: letters.Invitation) -> dict[str, Any]:
        _ = self.gettext
        until = _("The link works once, until %(when)s.") % {
            "when": self._when(letter.expires_us, letter.zone)
        }
        if letter.workspace:
            subject = _("You are invited to a workspace")
            what = _("You are invited to the workspace “%(workspace)s”. Your role: %(role)s.") % {
                "workspace": quoted(letter.workspace),
                "role": self._role(letter.role),
            }
        else:
            subject = _("You are invited to the operators' console")
            what = _("You are invited to the operators' console.")
        return {
            "subject": subject,
            "paragraphs": (what, until),
            "buttons": (Button(_("Accept the invitation"), letter.link),),
            "notes": (_("If you did not expect it, ignore this mail."),),
        }

    def _role(self, role: Role) -> str:
        _ = self.gettext
        named: Mapping[Role, str] = {
            "owner": _("owner"),
            "admin": _("administrator"),
            "developer": _("developer"),
            "billing": _("billing"),
            "viewer": _("viewer"),
            "operator": _("operator"),
        }
        return named[role]

    def invoice(self, letter: letters.InvoiceSent) -> dict[str, Any]:
        _ = self.gettext
        paid = (_("It is paid. Nothing is due."),) if letter.is_paid else ()
        due: tuple[tuple[str, str], ...] = ()
        if letter.due_on:
            paid = (_("Please transfer the total in time and write the reference on the transfer."),)
            due = (
                (_("Due date"), formats.day(letter.due_on, locale=self.locale)),
                (_("Reference"), letter.reference),
            )
        again = _(
            "It takes back credit note %(number)s: the refund could not be paid out, and your credit is back."
        )
        note = (again % {"number": letter.note_number},) if letter.note_number else ()
        return {
            "subject": f"{letter.title} {letter.number}",
            "paragraphs": (_("This document is attached as a PDF file."), *note, *paid),
            "facts": (
                (_("Number"), letter.number),
                (_("Date"), formats.day(letter.issued_on, locale=self.locale)),
                (_("Total"), self._money(letter.total_minor, letter.currency, letter.exponent)),
                *due,
            ),
        }

    def credit_note(self, letter: letters.CreditNoteSent) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": f"{letter.title} {letter.number}",
            "paragraphs": (
                _("This document is attached as a PDF file."),
                _("It takes back invoice %(number)s, or a part of it.") % {"number": letter.invoice_number},
            ),
            "facts": (
                (_("Number"), letter.number),
                (_("Date"), formats.day(letter.issued_on, locale=self.locale)),
                (_("Total credited"), self._money(letter.total_minor, letter.currency, letter.exponent)),
            ),
        }

    def receipt(self, letter: letters.ReceiptSent) -> dict[str, Any]:
        _ = self.gettext
        offered: dict[str, Any] = {}
        if letter.billing_link:
            offered = {
                "buttons": (Button(_("Say whom invoices are for"), letter.billing_link),),
                "notes": (_("A receipt is no invoice. You get one as soon as we know whom it is for."),),
            }
        return {
            "subject": _("Receipt for your payment"),
            "paragraphs": (
                self._arrived(letter),
                _("The receipt is attached as a PDF file."),
            ),
            "facts": (
                (_("Reference"), letter.reference),
                (_("Paid on"), formats.day(letter.paid_on, locale=self.locale)),
                (_("Amount paid"), self._money(letter.gross_minor, letter.currency, letter.exponent)),
            ),
            **offered,
        }

    def _arrived(self, letter: letters.ReceiptSent) -> str:
        _ = self.gettext
        if letter.on_account:
            return _("Thank you. Your payment has arrived, and nothing is due for this order any more.")
        told = _("Thank you. Your payment has arrived, and %(credits)s credits were added to your account.")
        return told % {"credits": self._credits(letter.credits_nano)}

    def payment_due(self, letter: letters.PaymentDue) -> dict[str, Any]:
        return payment_due(
            letter,
            self.gettext,
            amount=self._money(letter.amount_minor, letter.currency, letter.exponent),
            day=formats.day(letter.due_on, locale=self.locale),
        )

    def refund_accepted(self, letter: letters.RefundAccepted) -> dict[str, Any]:
        _ = self.gettext
        subject, way = (
            _("Your refund is on its way"),
            _("It goes back the way it was paid. That may take some days."),
        )
        if letter.set_off:
            subject, way = (
                _("Less is to be paid"),
                _("The order is not paid yet, so you pay so much less for it."),
            )
        elif letter.by_transfer:
            way = _("It is paid by bank transfer. That may take some days.")
        return {
            "subject": subject,
            "paragraphs": (_("We have agreed to the refund that you asked for."), way),
            "facts": (
                (_("Reference"), letter.reference),
                (_("Amount"), self._money(letter.amount_minor, letter.currency, letter.exponent)),
            ),
            "buttons": self._to_order(letter.order_link),
        }

    def refund_declined(self, letter: letters.RefundDeclined) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("Your refund was declined"),
            "paragraphs": (_("We cannot pay back what you asked for. The credit of the order stays yours."),),
            "facts": ((_("Reference"), letter.reference), (_("Reason"), quoted(letter.reason))),
            "buttons": self._to_order(letter.order_link),
        }

    def _to_order(self, link: str) -> tuple[Button, ...]:
        return (Button(self.gettext("See the order"), link),) if link else ()

    def budget_reached(self, letter: letters.BudgetReached) -> dict[str, Any]:
        _ = self.gettext
        percent = f"{formats.number(letter.percent, locale=self.locale)}%"
        if letter.percent >= _WHOLE:
            subject = _("A budget is used up")
        else:
            subject = _("%(percent)s of a budget is used") % {"percent": percent}
        if letter.scope == "key":
            what = _("An API key of your account has spent %(percent)s of its budget.") % {"percent": percent}
        else:
            what = _("Your account has spent %(percent)s of its budget.") % {"percent": percent}
        hard = _("Requests that do not fit into it are refused.")
        soft = _("Nothing is refused because of it.")
        return {
            "subject": subject,
            "paragraphs": (what, hard if letter.is_hard else soft),
            "facts": (
                (_("Budget"), _("%(credits)s credits") % {"credits": self._credits(letter.amount_nano)}),
                (_("Spent"), _("%(credits)s credits") % {"credits": self._credits(letter.spent_nano)}),
            ),
            "buttons": (Button(_("See budgets"), letter.budgets_link),) if letter.budgets_link else (),
        }

    def balance_low(self, letter: letters.BalanceLow) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("Your credit is running low"),
            "paragraphs": (
                _("%(credits)s credits are left in your account.")
                % {"credits": self._credits(letter.balance_nano)},
                _("When they are used up, requests are refused."),
            ),
            "facts": (
                (
                    _("You are told below"),
                    _("%(credits)s credits") % {"credits": self._credits(letter.threshold_nano)},
                ),
            ),
            "buttons": (Button(_("Add credit"), letter.recharge_link),) if letter.recharge_link else (),
        }

    def auto_recharge(self, letter: letters.AutoRechargeTrouble) -> dict[str, Any]:
        return auto_recharge(
            letter,
            self.gettext,
            amount=self._money(letter.amount_minor, letter.currency, letter.exponent),
            again="" if letter.retry_us is None else self._when(letter.retry_us, letter.zone),
        )

    def check(self, _letter: letters.MailCheck) -> dict[str, Any]:
        _ = self.gettext
        return {
            "subject": _("Mail works"),
            "paragraphs": (_("An operator has sent this mail to see whether mail arrives. It does."),),
        }


_WRITERS: Final[dict[type[letters.Letter], Callable[[_Pen, Any], dict[str, Any]]]] = {
    letters.VerifyEmail: _Pen.verify_email,
    letters.AlreadyRegistered: _Pen.already_registered,
    letters.ResetPassword: _Pen.reset_password,
    letters.PasswordChanged: _Pen.password_changed,
    letters.ConfirmAddress: _Pen.confirm_address,
    letters.AddressTaken: _Pen.address_taken,
    letters.AddressChanged: _Pen.address_changed,
    letters.PasskeyAdded: _Pen.passkey_added,
    letters.PasskeyRemoved: _Pen.passkey_removed,
    letters.SecondFactorChanged: _Pen.second_factor_changed,
    letters.NewSignIn: _Pen.new_sign_in,
    letters.Invitation: _Pen.invitation,
    letters.InvoiceSent: _Pen.invoice,
    letters.CreditNoteSent: _Pen.credit_note,
    letters.ReceiptSent: _Pen.receipt,
    letters.PaymentDue: _Pen.payment_due,
    letters.RefundAccepted: _Pen.refund_accepted,
    letters.RefundDeclined: _Pen.refund_declined,
    letters.BudgetReached: _Pen.budget_reached,
    letters.BalanceLow: _Pen.balance_low,
    letters.AutoRechargeTrouble: _Pen.auto_recharge,
    letters.MailCheck: _Pen.check,
}
