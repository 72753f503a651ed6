"""What is written to people: one type for each occasion, with all that the mail will say and nothing else.

A letter is kept sealed until it has left, and written in the language of its reader then (`wording`). Links are whole addresses. Amounts
are minor units of the currency (`_minor`) or nano-credits (`_nano`), times Unix microseconds.
"""

from typing import Literal
from uuid import UUID

import msgspec

Scope = Literal["account", "key"]
FactorChange = Literal["on", "off", "recovery_codes"]
Role = Literal["owner", "admin", "developer", "billing", "viewer", "operator"]


class Letter(msgspec.Struct, frozen=True, kw_only=True, tag_field="template"):
    """Base of all. Shows nothing of itself in a log or a traceback: it may hold a link that lets somebody in."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class VerifyEmail(Letter, frozen=True, kw_only=True, tag="verify_email"):
    """Somebody has given this address as theirs."""

    link: str
    valid_minutes: int


class AlreadyRegistered(Letter, frozen=True, kw_only=True, tag="already_registered"):
    """Somebody signed up with an address that has an account: only its owner is told."""

    sign_in_link: str
    reset_link: str


class ResetPassword(Letter, frozen=True, kw_only=True, tag="reset_password"):
    """Somebody asked for a new password."""

    link: str
    valid_minutes: int


class PasswordChanged(Letter, frozen=True, kw_only=True, tag="password_changed"):
    """A notice, for whoever did not do it."""

    at_us: int
    zone: str
    reset_link: str


class ConfirmAddress(Letter, frozen=True, kw_only=True, tag="confirm_address"):
    """Somebody who has an account wants to sign in with this address from now on."""

    link: str
    valid_minutes: int


class AddressTaken(Letter, frozen=True, kw_only=True, tag="address_taken"):
    """Somebody wants to sign in with an address that has an account of its own: only its owner is told."""

    sign_in_link: str


class AddressChanged(Letter, frozen=True, kw_only=True, tag="address_changed"):
    """A notice to the address before, for whoever did not do it. `link` takes it back."""

    at_us: int
    zone: str
    link: str
    valid_minutes: int


class PasskeyAdded(Letter, frozen=True, kw_only=True, tag="passkey_added"):
    """A notice, for whoever did not do it: there is one more way in."""

    at_us: int
    zone: str
    passkeys_link: str


class PasskeyRemoved(Letter, frozen=True, kw_only=True, tag="passkey_removed"):
    """A notice, for whoever did not do it: there is one way in less."""

    at_us: int
    zone: str
    passkeys_link: str


class SecondFactorChanged(Letter, frozen=True, kw_only=True, tag="second_factor_changed"):
    """A notice, for whoever did not do it: codes are asked for, or no more, or the recovery codes are others."""

    change: FactorChange
    at_us: int
    zone: str
    reset_link: str


class NewSignIn(Letter, frozen=True, kw_only=True, tag="new_sign_in"):
    """A sign-in from a browser that was not seen before."""

    at_us: int
    zone: str
    address: str  #: the network address
    agent: str  #: what the browser says that it is
    sessions_link: str


class Invitation(Letter, frozen=True, kw_only=True, tag="invitation"):
    """A link into a customer's workspace, or into the operators' console."""

    role: Role
    link: str
    expires_us: int
    zone: str
    workspace: str = ""  #: its name; none for operators


class InvoiceSent(Letter, frozen=True, kw_only=True, tag="invoice"):
    """The invoice is attached."""

    document_id: UUID
    title: str  #: what the document calls itself
    number: str
    issued_on: str
    total_minor: int
    currency: str
    exponent: int
    is_paid: bool
    due_on: str = ""  #: of one that is not paid: until when it is to be
    reference: str = ""  #: and what to write on the transfer
    note_number: str = ""  #: of the credit note that it takes back


class CreditNoteSent(Letter, frozen=True, kw_only=True, tag="credit_note"):
    """The credit note is attached."""

    document_id: UUID
    title: str  #: what the document calls itself
    number: str
    issued_on: str
    invoice_number: str
    total_minor: int
    currency: str
    exponent: int


class ReceiptSent(Letter, frozen=True, kw_only=True, tag="payment_receipt"):
    """A payment came in for which there is no invoice (yet), or whose invoice went out before. The receipt is attached."""

    order_id: UUID
    reference: str
    paid_on: str
    gross_minor: int
    currency: str
    exponent: int
    credits_nano: int
    billing_link: str = ""  #: where to say whom invoices are for
    on_account: bool = False  #: the credit was there before


class PaymentDue(Letter, frozen=True, kw_only=True, tag="payment_due"):
    """An order on account is to be paid soon, or should have been."""

    is_overdue: bool
    reference: str
    amount_minor: int
    currency: str
    exponent: int
    due_on: str  #: the last day
    order_link: str = ""


class RefundAccepted(Letter, frozen=True, kw_only=True, tag="refund_accepted"):
    """An operator agreed to a refund that the customer asked for."""

    reference: str  #: of the order
    amount_minor: int
    currency: str
    exponent: int
    by_transfer: bool
    set_off: bool = False  #: it was not paid yet: less is to be paid instead
    order_link: str = ""


class RefundDeclined(Letter, frozen=True, kw_only=True, tag="refund_declined"):
    """An operator did not agree to it."""

    reference: str  #: of the order
    reason: str  #: in the operator's words
    order_link: str = ""


class BudgetReached(Letter, frozen=True, kw_only=True, tag="budget_alert"):
    """What was spent has come to a share of a budget."""

    percent: int
    amount_nano: int
    spent_nano: int
    scope: Scope
    is_hard: bool  #: requests are refused once it is used up
    budgets_link: str = ""


class BalanceLow(Letter, frozen=True, kw_only=True, tag="balance_low"):
    """The account's credit is below what it wants to be told of."""

    balance_nano: int
    threshold_nano: int
    recharge_link: str = ""


class AutoRechargeTrouble(Letter, frozen=True, kw_only=True, tag="auto_recharge"):
    """A low balance is not recharged by itself, and its customer should know."""

    what: Literal["declined", "off", "needs_customer", "cap_reached", "not_offered"]
    amount_minor: int  #: what was to be paid; of `cap_reached`, the cap
    currency: str
    exponent: int
    retry_us: int | None = None  #: of `declined`: not before
    zone: str = "UTC"
    recharge_link: str = ""  #: of `needs_customer`: where the order can be paid


class MailCheck(Letter, frozen=True, kw_only=True, tag="check"):
    """Sent by an operator to see that mail arrives."""


AnyLetter = (
    VerifyEmail
    | AlreadyRegistered
    | ResetPassword
    | PasswordChanged
    | ConfirmAddress
    | AddressTaken
    | AddressChanged
    | PasskeyAdded
    | PasskeyRemoved
    | SecondFactorChanged
    | NewSignIn
    | Invitation
    | InvoiceSent
    | CreditNoteSent
    | ReceiptSent
    | PaymentDue
    | RefundAccepted
    | RefundDeclined
    | BudgetReached
    | BalanceLow
    | AutoRechargeTrouble
    | MailCheck
)


def template_of(letter: AnyLetter) -> str:
    """The name under which operators see it."""
    return str(type(letter).__struct_config__.tag)


def links_of(letter: AnyLetter) -> tuple[str, ...]:
    """Every link in it."""
    fields = type(letter).__struct_fields__
    return tuple(getattr(letter, name) for name in fields if name == "link" or name.endswith("_link"))
