"""The one table of what operators may command, for the JSON API and for the command line.

A command becomes `POST /api/admin/<nouns>/<verb>` and `tokenok <noun> <verb>`.
"""

from collections.abc import Callable
from typing import Any, Final, get_type_hints

import msgspec

from api.admin import credit
from application.accounts import (
    close_account,
    erase_account,
    open_account,
    reinstate_account,
    rename,
    set_account_limits,
    set_contact,
    suspend_account,
)
from application.adjustments import (
    adjust_credit,
    approve_adjustment,
    deny_adjustment,
    void_lot,
    write_off_debt,
)
from application.announcements import set_announcement, withdraw_announcement
from application.balance_alerts import set_threshold
from application.bodies import erase_bodies, read_body, set_logging
from application.budgets import remove_budget, set_budget
from application.catalogue import (
    add_deployment,
    change_deployment,
    change_provider,
    disable_deployment,
    disable_provider,
    enable_deployment,
    enable_preset,
    enable_provider,
    point_alias,
    probe_provider,
    publish_prices,
    register_provider,
    remove_alias,
    revoke_credential,
    rotate_credential,
    set_route,
    store_credential,
)
from application.charges import report_usage, review_charge
from application.checkout import open_checkout, replay_webhook
from application.command import Command
from application.hooks import (
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    ping_endpoint,
    register_endpoint,
    remove_endpoint,
    replay_messages,
    rotate_endpoint_secret,
)
from application.invoicing import (
    erase_billing,
    issue_credit_note,
    issue_invoice,
    issue_order_invoice,
    open_series,
    set_billing,
    set_invoicing,
    set_seller,
)
from application.keys import import_key, issue_key, revoke_key, rotate_key, set_key_expiry, set_key_limits
from application.mail import check_mail, discard_mail, retry_mail
from application.management import issue_management_key, revoke_management_key, rotate_management_key
from application.members import change_member_role, invite_member, remove_member, withdraw_invitation
from application.money import book_cost
from application.operators import (
    disable_operator,
    invite_operator,
    register_operator,
    rotate_operator_token,
)
from application.periods import close_period
from application.promotions import issue_codes, redeem_code, start_demo, withdraw_codes
from application.recharge import (
    approve_settlement,
    cancel_order,
    deny_settlement,
    place_order,
    set_offer,
    settle_order,
)
from application.refunds import approve_refund, confirm_refund, deny_refund, fail_refund, request_refund
from application.repricing import approve_run, post_run
from application.support import begin_access, end_access
from domain.operators import Permission

_PLURALS: Final = {
    "alias": "aliases",
    "billing": "billing",
    "bodies": "bodies",
    "credit": "credit",
    "invoicing": "invoicing",
    "money": "money",
    "prices": "prices",
    "repricing": "repricing",
    "series": "series",
    "support": "support",
}


class Entry(msgspec.Struct, frozen=True):
    """One command. `new_id` names the optional field with the id of what it makes."""

    noun: str
    verb: str
    words: str  #: what it does in a short sentence, then what else is to be known
    command: type[Command]
    handle: Callable[..., Any]  #: `(command, *, actor, ports)`
    new_id: str | None = None

    @property
    def path(self) -> str:
        return f"/{_PLURALS.get(self.noun, f'{self.noun}s')}/{self.verb}"

    @property
    def permission(self) -> Permission:
        return self.command.permission

    @property
    def title(self) -> str:
        """What it does, as the first sentence says."""
        return self.words.partition(".")[0]


def _entry(
    noun: str, verb: str, handle: Callable[..., Any], words: str, *, new_id: str | None = None
) -> Entry:
    command = get_type_hints(handle)["command"]
    return Entry(noun, verb, words, command, handle, new_id)


COMMANDS: Final[tuple[Entry, ...]] = (
    _entry(
        "account",
        "open",
        open_account.handle,
        "Open an account for a customer. With an account id of your choice it may be repeated.",
        new_id="account_id",
    ),
    _entry("account", "suspend", suspend_account.handle, "Refuse an account's keys for a while."),
    _entry("account", "reinstate", reinstate_account.handle, "Let a suspended account's keys work again."),
    _entry("account", "close", close_account.handle, "End an account for good."),
    _entry(
        "account",
        "contact",
        set_contact.handle,
        "Say whom to write to about an account. It is kept encrypted with a key of the account's own.",
    ),
    _entry(
        "account",
        "erase",
        erase_account.handle,
        "Close an account and destroy its personal data, for good. The answer is a certificate; asked again, the same.",
    ),
    _entry(
        "account",
        "limit",
        set_account_limits.handle,
        "Set the rate limits of an account. A limit that is left out is lifted.",
    ),
    _entry("account", "rename", rename.handle, "Name an account, a key or an operator anew."),
    _entry(
        "announcement",
        "set",
        set_announcement.handle,
        "Tell customers something in their languages, for a time. With the id of an announcement, it is worded anew.",
        new_id="announcement_id",
    ),
    _entry(
        "announcement",
        "withdraw",
        withdraw_announcement.handle,
        "Show an announcement to nobody any more.",
    ),
    _entry(
        "bodies",
        "set",
        set_logging.handle,
        "Keep the requests and answers of an account, or no longer. Encrypted, for BODY_LOG_DAYS, and off by default.",
    ),
    _entry(
        "bodies",
        "read",
        read_body.handle,
        "Show a request and its answer, if they were kept. Who has read what, and why, stands in the log.",
    ),
    _entry("bodies", "erase", erase_bodies.handle, "Delete all that is kept of an account's requests."),
    _entry(
        "balance",
        "threshold",
        set_threshold.handle,
        "Say below which balance an account is told of. Without an account it is for all that have no threshold of their own; without "
        "a threshold it is taken away, and 0 is never below.",
    ),
    _entry(
        "budget",
        "set",
        set_budget.handle,
        "Bound what a key or an account may spend in a day, a month or the last hours. A hard budget refuses what does not fit, a "
        "soft one only tells. With its id, another amount or other alerts may be set; what it is for and its window never change.",
        new_id="budget_id",
    ),
    _entry("budget", "remove", remove_budget.handle, "End a budget. What was spent of it stays known."),
    _entry(
        "credit",
        "grant",
        credit.handle,
        "Add credit to an account. The same lot id is granted once.",
        new_id="lot_id",
    ),
    _entry(
        "credit",
        "adjust",
        adjust_credit.handle,
        "Correct an account's credit by a new entry, in its favour or not. A debit takes what is available and never more; above "
        "ADJUSTMENT_APPROVAL_NANO it waits for a second operator. The same adjustment id is posted once.",
        new_id="adjustment_id",
    ),
    _entry(
        "credit",
        "void",
        void_lot.handle,
        "Take back what is left of a lot of credit. What is lent to gateways is spent by requests under way, or is gone when it "
        "comes back; above ADJUSTMENT_APPROVAL_NANO it waits for a second operator.",
        new_id="adjustment_id",
    ),
    _entry(
        "credit",
        "demo",
        start_demo.handle,
        "Give a customer credit to try with, which ends after some days. One for each account, and for each address of its owners.",
    ),
    _entry(
        "credit",
        "write-off",
        write_off_debt.handle,
        "Give up what an account owes for credit that it spent and whose payment went back. A second operator must agree, whatever "
        "the amount; then the account can spend again.",
        new_id="adjustment_id",
    ),
    _entry(
        "credit",
        "approve",
        approve_adjustment.handle,
        "Agree to an adjustment that another operator has asked for. It is posted at once.",
    ),
    _entry(
        "credit",
        "deny",
        deny_adjustment.handle,
        "Refuse an adjustment that another operator has asked for, for good.",
    ),
    _entry(
        "charge",
        "review",
        review_charge.handle,
        "Decide about a charge that was held because its usage cannot be. Without an amount it is upheld; else the difference is "
        "an adjustment, which above ADJUSTMENT_APPROVAL_NANO waits for a second operator. It is decided once.",
    ),
    _entry(
        "charge",
        "usage",
        report_usage.handle,
        "Take in all that a request has used, as its provider told it after the request had ended. It is rated by the price of its "
        "time; the difference is an adjustment. A debit takes what is available, and the operator bears the rest. The same report of "
        "a provider counts once.",
    ),
    _entry(
        "repricing",
        "post",
        post_run.handle,
        "Give back what charges of the past cost more than by another version of the prices. Ask `repricing plan` first: it is refused "
        "unless the plan still comes out as it was. One adjustment for each customer; may be repeated.",
    ),
    _entry(
        "repricing",
        "approve",
        approve_run.handle,
        "Agree to all adjustments of a repricing run that another operator has posted.",
    ),
    _entry(
        "code",
        "issue",
        issue_codes.handle,
        "Make codes that customers redeem for promotional credit, each once; they are shown this one time.",
        new_id="batch_id",
    ),
    _entry(
        "code",
        "withdraw",
        withdraw_codes.handle,
        "Let no code of a batch be redeemed any more. What was redeemed stays.",
    ),
    _entry(
        "code",
        "redeem",
        redeem_code.handle,
        "Turn a code into credit. Ten codes in an hour that there are not, and the account has to wait.",
    ),
    _entry(
        "endpoint",
        "register",
        register_endpoint.handle,
        "Tell a customer of what happens, at an https address of theirs; the secret that signs is shown once.",
        new_id="endpoint_id",
    ),
    _entry(
        "endpoint",
        "change",
        change_endpoint.handle,
        "Replace the address of an endpoint, and the kinds of messages that go there. What waits goes to the new address.",
    ),
    _entry(
        "endpoint",
        "rotate",
        rotate_endpoint_secret.handle,
        "Sign with a new secret, shown once; until the overlap ends, messages have a signature by the present one too.",
    ),
    _entry("endpoint", "ping", ping_endpoint.handle, "Try an endpoint with a message about nothing."),
    _entry(
        "endpoint",
        "replay",
        replay_messages.handle,
        "Send messages again, with the same ids: one, or all from a position of the log on that are still kept.",
    ),
    _entry(
        "endpoint",
        "disable",
        disable_endpoint.handle,
        "Send nothing to an endpoint for a while. What happens meanwhile waits for it.",
    ),
    _entry("endpoint", "enable", enable_endpoint.handle, "Send to an endpoint again, what has waited first."),
    _entry(
        "endpoint",
        "remove",
        remove_endpoint.handle,
        "Tell nothing at an endpoint any more. What waits is not sent, and its secrets are destroyed.",
    ),
    _entry("key", "issue", issue_key.handle, "Make an API key; its secret is shown once.", new_id="key_id"),
    _entry(
        "key",
        "import",
        import_key.handle,
        "Take over an API key that exists already. Its strength is its maker's; ours are better.",
        new_id="key_id",
    ),
    _entry(
        "key",
        "rotate",
        rotate_key.handle,
        "Give a key a new secret; the present one ends later. Of an older secret nothing is left at once.",
    ),
    _entry(
        "key", "limit", set_key_limits.handle, "Set the limits of a key. A limit that is left out is lifted."
    ),
    _entry("key", "expire", set_key_expiry.handle, "Let a key end by itself at a time, or never."),
    _entry("key", "revoke", revoke_key.handle, "End a key for good, at once."),
    _entry(
        "offer",
        "set",
        set_offer.handle,
        "Say what credit costs in one currency. It replaces the currency's offer before; orders that are placed keep their terms.",
    ),
    _entry(
        "order",
        "place",
        place_order.handle,
        "Order credit for an account. It is credited when it is paid; the answer has what to pay and the reference of a transfer.",
        new_id="order_id",
    ),
    _entry(
        "order",
        "cancel",
        cancel_order.handle,
        "Wait for no payment of an order any more. One that comes in nevertheless is credited.",
    ),
    _entry(
        "order",
        "settle",
        settle_order.handle,
        "Confirm that the bank transfer for an order has come in. From the offer's threshold on a second operator must approve.",
    ),
    _entry(
        "order",
        "approve",
        approve_settlement.handle,
        "Credit an order whose transfer another operator confirmed.",
    ),
    _entry(
        "order",
        "deny",
        deny_settlement.handle,
        "Take back the confirmation of a transfer that waits for approval. The order waits for a transfer again.",
    ),
    _entry(
        "order",
        "checkout",
        open_checkout.handle,
        "Open the page of an order's payment provider. Asked again while it is open, it is the same page.",
    ),
    _entry(
        "refund",
        "request",
        request_refund.handle,
        "Pay back money of an order whose credit is unspent; all of that if no amount is given. The credit is set aside at once, bonus "
        "in proportion; of much a second operator must approve. The same refund id is refunded once.",
        new_id="refund_id",
    ),
    _entry(
        "refund",
        "approve",
        approve_refund.handle,
        "Agree to a refund that another operator has asked for. The provider is asked to pay it back.",
    ),
    _entry(
        "refund",
        "deny",
        deny_refund.handle,
        "Refuse a refund that waits for approval, or take your own back. Its credit is the customer's again.",
    ),
    _entry(
        "refund",
        "confirm",
        confirm_refund.handle,
        "Confirm that a refund was paid by bank transfer, for orders that were paid so.",
    ),
    _entry(
        "refund",
        "fail",
        fail_refund.handle,
        "Say that a bank transfer back could not be made, or came back. Its credit is the customer's again.",
    ),
    _entry(
        "money",
        "cost",
        book_cost.handle,
        "Book what a provider has billed. The number of its bill is booked once.",
    ),
    _entry(
        "webhook",
        "replay",
        replay_webhook.handle,
        "Handle a parked message of a payment provider again. Its object is asked for at the provider anew.",
    ),
    _entry(
        "mail",
        "check",
        check_mail.handle,
        "Send a mail that says that mail works. `mail list` shows what became of it.",
        new_id="mail_id",
    ),
    _entry(
        "mail",
        "retry",
        retry_mail.handle,
        "Send a parked mail again. If it may have arrived, it may arrive twice, under the same Message-ID.",
    ),
    _entry("mail", "discard", discard_mail.handle, "Let a mail never be sent. What it says is dropped."),
    _entry(
        "member",
        "invite",
        invite_member.handle,
        "Let somebody into a customer's workspace. The link, shown once, makes a member of who follows it within a week.",
        new_id="invitation_id",
    ),
    _entry("member", "withdraw", withdraw_invitation.handle, "Let an invitation open nothing any more."),
    _entry("member", "change", change_member_role.handle, "Give a member another role."),
    _entry("member", "remove", remove_member.handle, "End a membership, at once."),
    _entry(
        "management-key",
        "issue",
        issue_management_key.handle,
        "Make a management key, with which a customer's programs use /api; its secret is shown once.",
        new_id="key_id",
    ),
    _entry(
        "management-key",
        "rotate",
        rotate_management_key.handle,
        "Give a management key a new secret; the present one ends later. Of an older secret nothing is left at once.",
    ),
    _entry(
        "management-key", "revoke", revoke_management_key.handle, "End a management key for good, at once."
    ),
    _entry(
        "support",
        "begin",
        begin_access.handle,
        "Look into a customer's workspace for an hour, without changing anything. The customer sees who looked, and why.",
        new_id="access_id",
    ),
    _entry("support", "end", end_access.handle, "Look no more, before the hour is over."),
    _entry(
        "operator",
        "register",
        register_operator.handle,
        "Make an operator; the token is shown once.",
        new_id="operator_id",
    ),
    _entry(
        "operator",
        "rotate",
        rotate_operator_token.handle,
        "Give an operator a new token. Operators rotate their own, admins anyone's.",
    ),
    _entry("operator", "disable", disable_operator.handle, "Refuse an operator's token from now on."),
    _entry(
        "operator",
        "invite",
        invite_operator.handle,
        "Let an operator into the console. The link, shown once, sets their address and password; an earlier one is dead.",
    ),
    _entry(
        "preset",
        "enable",
        enable_preset.handle,
        "Make a provider of the presets ready: its models, their prices, routes. The provider is asked first whether it takes the "
        "secret. What is there already stays as it is.",
    ),
    _entry("provider", "register", register_provider.handle, "Add a provider. Its id follows from its name."),
    _entry(
        "provider",
        "change",
        change_provider.handle,
        "Replace the settings of a provider. What is left out is unset.",
    ),
    _entry(
        "provider",
        "probe",
        probe_provider.handle,
        "Ask a provider whether it can be reached and takes our secrets. It costs nothing, and changes nothing.",
    ),
    _entry("provider", "disable", disable_provider.handle, "Send no requests to a provider."),
    _entry("provider", "enable", enable_provider.handle, "Send requests to a provider again."),
    _entry(
        "credential",
        "store",
        store_credential.handle,
        "Keep a secret for a provider, sealed. It is bound to where the provider is now.",
        new_id="credential_id",
    ),
    _entry("credential", "rotate", rotate_credential.handle, "Replace the secret of a credential."),
    _entry(
        "credential",
        "revoke",
        revoke_credential.handle,
        "Use a credential no more. Revoke it at the provider too: that is not done here.",
    ),
    _entry(
        "deployment",
        "add",
        add_deployment.handle,
        "Add a model at a provider. A timeout that is left out is the server's.",
        new_id="deployment_id",
    ),
    _entry(
        "deployment",
        "change",
        change_deployment.handle,
        "Replace the settings of a deployment. What is left out goes back to its default.",
    ),
    _entry("deployment", "disable", disable_deployment.handle, "Let routes pass over a deployment."),
    _entry("deployment", "enable", enable_deployment.handle, "Let routes use a deployment again."),
    _entry(
        "route",
        "set",
        set_route.handle,
        "Say which deployments serve an alias, in order. It replaces an earlier route, or a pointer.",
    ),
    _entry("alias", "point", point_alias.handle, "Make an alias another name of one with a route."),
    _entry(
        "alias",
        "remove",
        remove_alias.handle,
        "Take an alias away from clients. Clients that write it get 404.",
    ),
    _entry(
        "period",
        "close",
        close_period.handle,
        "Seal the books of a month that is over. Nothing can be booked into it any more; the trial balance stands in the log.",
    ),
    _entry(
        "prices",
        "publish",
        publish_prices.handle,
        "Publish prices of aliases. The version in the answer is the price version that charges name.",
    ),
    _entry(
        "seller",
        "set",
        set_seller.handle,
        "Say how documents name a seller, new or as it is from now on. What was issued stays as it is.",
        new_id="seller_id",
    ),
    _entry(
        "series",
        "open",
        open_series.handle,
        "Open a series of numbers for a seller's documents. The newest of a kind is used; numbers begin at 1 and have no gap.",
    ),
    _entry(
        "invoicing",
        "set",
        set_invoicing.handle,
        "Have each credited order get its invoice by itself, and each refund its credit note, from this seller; from nobody if it is left "
        "out. Orders of accounts without a billing profile wait for one.",
    ),
    _entry(
        "billing",
        "set",
        set_billing.handle,
        "Say whom the documents of an account are for. It is kept encrypted with a key of the buyer's own.",
    ),
    _entry(
        "billing",
        "erase",
        erase_billing.handle,
        "Destroy the buyer of an account's documents, for good. Only when no law wants them kept any longer.",
    ),
    _entry(
        "invoice",
        "issue",
        issue_invoice.handle,
        "Issue an invoice with the next number of its series. The same invoice id is issued once, and nothing issued ever changes.",
        new_id="invoice_id",
    ),
    _entry(
        "invoice",
        "order",
        issue_order_invoice.handle,
        "Issue the invoice of an order that was paid and credited. There is one, however often it is asked for.",
    ),
    _entry(
        "credit-note",
        "issue",
        issue_credit_note.handle,
        "Take back an invoice or a part of it. All credit notes of an invoice together are never more than it.",
        new_id="credit_note_id",
    ),
)
