"""Texts that code holds for people. `N_` only marks them: the tool that collects texts finds them by it."""

from typing import Final


def N_(message: str) -> str:  # noqa: N802  # the name by which texts are found
    """The same; translated where it is shown."""
    return message


#: What is said to people of a refusal, by its stable code. Whatever is not here is shown in its own words.
REFUSALS: Final = {
    "account_not_open": N_("The account is suspended or closed."),
    "clock_behind_series": N_(
        "The series has a document of a later day. Set this machine's clock right, then try again."
    ),
    "foreign_form": N_(
        "This form is too old, or was not sent from one of our pages. Nothing was changed: go back, load the page again and send it anew."
    ),
    "session_ended": N_("You have been signed out. Nothing was changed: sign in, then send the form again."),
    "stale_form": N_(
        "You have signed in anew since this page was opened. Nothing was changed: send it once more if it is still what you want."
    ),
    "invalid_code": N_("There is no such code. Look at it once more."),
    "method_not_allowed": N_("This address takes no such request. Go back and use the page's own buttons."),
    "not_sealed": N_("Nothing is sealed there yet. Try again when the next checkpoint is signed."),
    "printing_failed": N_("The document could not be printed just now. Try again in a moment."),
    "request_too_large": N_("That is more than a form may hold. Send less at once."),
    "seal_broken": N_("The seal and the log do not fit together. Run “tokenok seal verify”."),
    "sealing_off": N_("The log is not sealed here: SEAL_DIR and SEAL_KEY are not set."),
    "statement_moving": N_(
        "So much happens in this month that it cannot be printed just now. Take CSV or JSON, or wait until it is over."
    ),
    "statement_too_long": N_("This statement is too long to be printed. Take it as CSV or JSON."),
    "unstorable": N_("This cannot be recorded as it is."),
    "vault_error": N_("What is kept encrypted cannot be opened. Nothing was changed."),
    "amount_not_offered": N_("This amount is not on offer."),
    "passkey_refused": N_("That did not work. Try it once more, or use your password."),
    "payment_provider_refused": N_(
        "The payment provider does not take this payment. Try another way to pay."
    ),
    "payment_provider_unavailable": N_(
        "The payment provider does not answer. Nothing was paid; try again in a moment."
    ),
    "refund_request_open": N_("A refund of this order is asked for already."),
    "too_many_passkeys": N_("You have twenty passkeys. Remove one first."),
    "export_refused": N_("This export cannot be made here: EXPORTS_DIR is not set, or cannot be written to."),
    "rebuild_running": N_("Somebody else is building this read model anew."),
    "unknown_read_model": N_("There is no such read model."),
    "too_many_orders": N_("There are many unpaid orders already. Pay or cancel one of them first."),
    "wrong_name": N_("This is not the name of the account."),
    "already_exists": N_("This exists already."),
    "amount_out_of_range": N_("This amount is too small or too large."),
    "bad_invitation": N_("This link opens nothing any more. Ask for a new one."),
    "books_behind": N_("The books are not there yet. Try again in a moment."),
    "code_already_redeemed": N_("This code was redeemed already."),
    "code_limit_reached": N_("This account has redeemed as many codes of this kind as it may."),
    "contended": N_("Somebody else is changing the same thing. Try again."),
    "database_unavailable": N_("The database cannot be reached. Nothing was changed; try again in a moment."),
    "read_model_outdated": N_(
        "This is being brought up to date after an upgrade. Nothing is lost; try again in a few minutes."
    ),
    "idempotency_in_progress": N_("This was sent already and is being worked on."),
    "idempotency_key_reused": N_("This form was sent before with other values. Open it again."),
    "identity_refused": N_(
        "Your company's sign-in did not let you in here. Ask whoever runs this installation."
    ),
    "internal_error": N_("Something went wrong on our side."),
    "invalid_request": N_("Something in this form cannot be read."),
    "last_admin": N_("There is always a superadmin: give somebody else the role first."),
    "last_owner": N_("An account keeps at least one owner."),
    "log_unavailable": N_("The event log cannot be written. Nothing was changed; try again in a moment."),
    "no_mail": N_("This installation sends no mails. Ask whoever runs it."),
    "not_found": N_("There is no such thing, or it is not yours to see."),
    "not_permitted": N_("Your role does not allow this."),
    "outcome_unknown": N_("It is not certain that this was done. Look before you do it again."),
    "sign_up_closed": N_("Accounts are not opened by oneself here. Ask whoever runs this installation."),
    "too_many_attempts": N_("Too many codes that do not exist. Try again in an hour."),
    "too_many_invitations": N_("Many invitations were mailed already. Try again in an hour."),
    "too_many_failures": N_("Too many failed attempts. Try again in a quarter of an hour."),
    "vault_unavailable": N_("The database cannot be reached. Nothing was changed; try again in a moment."),
    "exchange_rate_missing": N_(
        "The tax office wants the tax in its own currency, and no exchange rate is kept for the day of this invoice. Set one on the page of sellers."
    ),
    "already_repriced": N_("These charges were repriced before."),
    "credit_above_invoice": N_("All credit notes together would be more than the invoice."),
    "demo_used": N_("This account, or one of its owners, has had a demo already."),
    "invalid_value": N_("A value in this form is not possible."),
    "lot_already_granted": N_("This credit was granted before."),
    "more_than_owed": N_("The account owes less than that."),
    "not_enough_to_take": N_("The account has less credit than that."),
    "not_enough_unspent": N_("Less of this order's credit is unspent."),
    "payment_overdue": N_(
        "An order on account is overdue. Nothing more is sold on account until it is paid."
    ),
    "postpaid_limit_reached": N_("With what is unpaid this would be more than the limit."),
    "postpaid_not_agreed": N_("It is not agreed that this account buys on account in this currency."),
    "invoice_not_possible": N_(
        "No invoice can be made: the billing profile is missing, or nobody issues invoices here."
    ),
    "account_in_debt": N_("The account owes credit. Only once that is settled can it buy on account."),
    "payment_taken": N_("This payment pays for another order already."),
    "period_not_over": N_("This month is not over yet."),
    "plan_changed": N_("The plan has changed meanwhile. Look at it again."),
    "printed_differently": N_("The printed file was lost, and printing it anew gives another one."),
    "refund_too_large": N_("This is more than is left of the payment."),
    "prices_changed": N_(
        "Other prices were published since. This proposal can only be denied; propose the prices anew."
    ),
    "second_factor_first": N_("Operators need a second factor here. Set it up to go on."),
    "second_operator_needed": N_("Somebody else has to decide this."),
    "secret_refused": N_("The provider does not take this secret."),
    "settlement_mismatch": N_("This is not what the order asks for."),
    "subject_erased": N_("The personal data of this was erased."),
    "usage_absurd": N_("This usage costs far more than the request can have cost."),
    "wrong_code": N_("This code is not right, or was used already."),
    "wrong_sign_in": N_("This address and this password do not go together."),
    "wrong_state": N_("This cannot be done in its present state."),
}
ROLES: Final = {
    "admin": N_("Superadmin"),
    "operator": N_("Operator"),
    "support": N_("Support"),
    "finance": N_("Finance"),
    "auditor": N_("Auditor"),
}
MEMBER_ROLES: Final = {
    "owner": N_("Owner"),
    "admin": N_("Admin"),
    "developer": N_("Developer"),
    "billing": N_("Billing"),
    "viewer": N_("Viewer"),
}
PERMISSIONS: Final = {
    "read": N_("View"),
    "accounts": N_("Accounts"),
    "keys": N_("API keys"),
    "credit": N_("Credit"),
    "catalogue": N_("Catalogue"),
    "prices": N_("Prices"),
    "operators": N_("Operators"),
    "bodies": N_("Kept requests"),
}
#: Of a charge whose usage cannot be.
REVIEWS: Final = {
    "waiting": N_("We are looking at this charge"),
    "upheld": N_("Looked at, and right"),
    "corrected": N_("Looked at, and corrected"),
}
REVIEW_STATES: Final = {
    "waiting": N_("Waits for somebody"),
    "upheld": N_("Upheld"),
    "corrected": N_("Corrected"),
}
#: What is odd about the usage that a provider told.
USAGE_FLAGS: Final = {
    "absurd": N_("a figure that cannot be"),
    "clamped": N_("a figure was cut to what was possible"),
    "input_missing": N_("no input was told"),
    "output_missing": N_("no output was told"),
    "cached_over_prompt": N_("more input from cache than input"),
    "reasoning_over_output": N_("more reasoning than output"),
    "total_mismatch": N_("the figures do not add up to the total"),
    "raw_dropped": N_("the provider's figures were too long to keep"),
}
#: Why a customer disputes a charge.
DISPUTE_CAUSES: Final = {
    "no-answer": N_("There was no answer"),
    "broken-answer": N_("The answer broke off, or cannot be used"),
    "counted-wrongly": N_("The usage was counted wrongly"),
    "wrong-price": N_("The price is not the one that was shown"),
    "charged-twice": N_("It was charged twice"),
    "not-ours": N_("We did not send this request"),
    "other": N_("Something else"),
}
STATES: Final = {
    "open": N_("Open"),
    "suspended": N_("Suspended"),
    "closed": N_("Closed"),
    "active": N_("Active"),
    "revoked": N_("Revoked"),
    "expired": N_("Expired"),
    "enabled": N_("Enabled"),
    "disabled": N_("Disabled"),
    "invited": N_("Invited"),
    "admitted": N_("Running"),
    "charged": N_("Charged"),
    "released": N_("Not charged"),
    "abandoned": N_("Broken off"),
    "half-open": N_("On trial"),
    "half_open": N_("On trial"),
    "well": N_("Healthy"),
    "impaired": N_("Impaired"),
    "down": N_("Not available"),
    "tripped": N_("Breaker open"),
    "unasked": N_("Not asked yet"),
    "silent": N_("No answer"),
    "secret-refused": N_("Secret refused"),
}
#: Of messages to customers' endpoints.
MESSAGE_STATES: Final = {
    "waiting": N_("Waiting"),
    "delivered": N_("Delivered"),
    "abandoned": N_("Given up"),
}
#: What mails are about, by their templates, and what became of them.
LETTERS: Final = {
    "verify_email": N_("Confirm the address"),
    "already_registered": N_("There is an account already"),
    "reset_password": N_("Reset the password"),
    "password_changed": N_("The password was changed"),
    "confirm_address": N_("Confirm the new address"),
    "address_taken": N_("The new address has an account"),
    "address_changed": N_("The address was changed"),
    "passkey_added": N_("A passkey was added"),
    "passkey_removed": N_("A passkey was removed"),
    "second_factor_changed": N_("The second factor was changed"),
    "new_sign_in": N_("New sign-in"),
    "invitation": N_("Invitation"),
    "invoice": N_("Invoice"),
    "credit_note": N_("Credit note"),
    "payment_receipt": N_("Receipt for a payment"),
    "payment_due": N_("Payment due"),
    "refund_accepted": N_("Refund agreed to"),
    "refund_declined": N_("Refund declined"),
    "budget_alert": N_("Budget alert"),
    "balance_low": N_("Low balance"),
    "auto_recharge": N_("Automatic recharge"),
    "check": N_("Trial mail"),
}
MAIL_STATES: Final = {
    "waiting": N_("Waiting"),
    "handing_over": N_("Being handed over"),
    "sent": N_("Sent"),
    "parked": N_("Parked"),
    "discarded": N_("Discarded"),
}
#: What a document that is called for waits for.
DUE_STATES: Final = {
    "due": N_("nothing: it is issued within moments"),
    "waits_for_billing": N_("the customer's billing profile"),
    "waits_for_invoice": N_("the invoice that it takes back"),
}
#: How a customer's request for a refund stands, in words for operators.
REQUEST_STATES: Final = {
    "open": N_("Waits for somebody"),
    "withdrawn": N_("Withdrawn"),
    "accepted": N_("Accepted"),
    "declined": N_("Declined"),
}
REQUEST_REASONS: Final = {
    "not_needed": N_("does not need the credit any more"),
    "by_mistake": N_("bought it by mistake"),
    "not_satisfied": N_("is not satisfied"),
    "other": N_("another reason"),
}
#: Why a try came to nothing before there was a status.
TRY_ERRORS: Final = {
    "address_not_allowed": N_("address not allowed"),
    "upstream_connect_failed": N_("no connection"),
    "upstream_closed": N_("connection closed"),
    "upstream_protocol_error": N_("no proper answer"),
    "timeout_connect": N_("no answer in time"),
    "timeout_first_byte": N_("no answer in time"),
    "timeout_idle": N_("no answer in time"),
    "timeout_total": N_("no answer in time"),
}
#: Why a request was not charged, by the code that its client got. Whatever is not here is shown as it is.
REQUEST_CODES: Final = {
    "content_filter": N_("Stopped by a content filter"),
    "context_length_exceeded": N_("Longer than the model takes"),
    "upstream_answer_too_large": N_("Answer too large"),
    "upstream_auth_error": N_("Secret refused"),
    "upstream_busy": N_("Provider overloaded"),
    "upstream_closed": N_("Cut off by the provider"),
    "upstream_connect_failed": N_("No connection"),
    "upstream_error": N_("The provider failed"),
    "upstream_overloaded": N_("Provider overloaded"),
    "upstream_protocol_error": N_("Unexpected answer"),
    "upstream_request_refused": N_("Request refused by the provider"),
    "upstream_timeout": N_("No answer in time"),
    "upstream_too_slow": N_("Too slow"),
    "upstream_unavailable": N_("No provider available"),
}
#: Why a call was refused before anything was held, by the codes that gateways tell of, and what helps.
CALL_REFUSALS: Final = {
    "insufficient_quota": N_("Not enough credit for the worst case: top up, or ask for shorter answers"),
    "account_in_debt": N_("A payment went back and credit is owed: top up"),
    "budget_exceeded": N_("The budget of the key or the account does not cover it: wait, or raise it"),
    "rate_limit_exceeded": N_("Faster than the limit of the key or the account"),
    "permission_denied": N_("The account is suspended or closed, or the key may not use this model"),
    "model_not_found": N_("There is no such model, or it has no price"),
    "max_price_exceeded": N_("Dearer than the client's max_price"),
    "no_matching_provider": N_("No provider is left by what the client wants of providers"),
    "context_length_exceeded": N_("Longer than the model takes"),
}
#: What the limits count that a call can reach.
LIMITS_REACHED: Final = {
    "requests": N_("%(limit)s requests a minute"),
    "tokens": N_("%(limit)s tokens a minute"),
    "concurrency": N_("%(limit)s at the same time"),
}
#: What providers speak; their own names.
DIALECTS: Final = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini"}
#: What changes credit on a statement.
STATEMENT_LINES: Final = {
    "charge": N_("Charges"),
    "grant": N_("Granted"),
    "adjustment": N_("Adjustment"),
    "void": N_("Taken back"),
    "expired": N_("Expired"),
    "expiry": N_("Expired"),
    "recharge": N_("Recharged"),
    "refund": N_("Refunded"),
    "refund_failed": N_("Refund that failed"),
    "debt": N_("Paid for what was owed"),
}
#: Accounts of the books in money, by the beginning of their names.
BOOK_ACCOUNTS: Final = {
    "bank": N_("Bank"),
    "customer_receivable": N_("Owed by customers"),
    "psp": N_("At the payment provider"),
    "dispute_receivable": N_("Disputed, to be given back"),
    "deferred_revenue": N_("Deferred revenue"),
    "tax": N_("Tax to be paid"),
    "refund_payable": N_("Refunds to be paid"),
    "unmatched": N_("Not matched yet"),
    "payable": N_("Bills to be paid"),
    "fees": N_("Fees of payments"),
    "provider_cost": N_("Cost of models"),
}
#: Accounts of the ledger, by the beginning of their names.
LEDGER_ACCOUNTS: Final = {
    "wallet": N_("Credit of a customer"),
    "leased": N_("Lent to gateways"),
    "frozen": N_("Set aside to go back"),
    "receivable": N_("Owed by a customer"),
    "issued": N_("Credit issued"),
    "usage": N_("Used up"),
    "breakage": N_("Expired credit"),
    "expense": N_("Used beyond the hold, at our cost"),
    "written_off": N_("Debts written off"),
}
#: Where credit comes from.
SOURCES: Final = {
    "paid": N_("Paid"),
    "promo": N_("Promotion"),
    "goodwill": N_("Goodwill"),
    "migrated": N_("Migrated"),
}
#: What is wrong with the ledger, or not known to be right.
FAULTS: Final = {
    "books_not_checked": N_("the books were not looked at lately"),
    "books_not_zero": N_("the books are not zero in sum"),
    "balances_drift": N_("balances differ from the books"),
    "read_model_stopped": N_("a read model has stopped, or waits to be rebuilt"),
    "verification_failed": N_("the last verification found differences"),
}
#: Who does things, where they have no name.
ACTORS: Final = {
    "operator": N_("An operator"),
    "system": N_("The system"),
    "member": N_("A member of the account"),
    "management-key": N_("A management key"),
    "recharge": N_("A paid order"),
}
#: What acts in the audit log are about.
SUBJECTS: Final = {
    "account": N_("Account"),
    "adjustment": N_("Adjustment"),
    "alias": N_("Model"),
    "automatic recharge": N_("Automatic recharge"),
    "balance-threshold": N_("Low balance"),
    "announcement": N_("Announcement"),
    "bill": N_("Bill of a provider"),
    "billing": N_("Billing profile"),
    "bodies": N_("Kept requests"),
    "budget": N_("Budget"),
    "codes": N_("Redemption codes"),
    "credential": N_("Credential"),
    "deployment": N_("Deployment"),
    "document": N_("Invoice or credit note"),
    "endpoint": N_("Webhook endpoint"),
    "exchange rate": N_("Exchange rate"),
    "key": N_("API key"),
    "limit": N_("Limit for buying on account"),
    "management key": N_("Management key"),
    "member": N_("Members"),
    "offer": N_("Offer"),
    "operator": N_("Operator"),
    "order": N_("Recharge order"),
    "invoicing": N_("Automatic invoices"),
    "mail": N_("Mail"),
    "period": N_("Period"),
    "price proposal": N_("Proposed prices"),
    "prices": N_("Prices"),
    "provider": N_("Provider"),
    "repricing": N_("Repricing"),
    "request": N_("Request"),
    "seller": N_("Seller"),
    "webhook": N_("Payment message"),
    "work": N_("Long work"),
}
#: What a request asks for, as the log says it.
OPERATIONS: Final = {
    "chat": N_("Chat"),
    "messages": N_("Messages"),
    "responses": N_("Responses"),
    "completions": N_("Completions"),
    "embeddings": N_("Embeddings"),
    "images": N_("Images"),
    "image-edits": N_("Edits of images"),
    "speech": N_("Speech"),
    "transcriptions": N_("Transcriptions"),
    "translations": N_("Translations of speech"),
    "moderations": N_("Moderations"),
    "rerank": N_("Reranking"),
}
STRATEGIES: Final = {
    "ordered": N_("As listed"),
    "weighted": N_("By weight"),
    "cheapest": N_("Cheapest first"),
    "fastest": N_("First byte soonest"),
    "throughput": N_("Fastest answer"),
}
#: How a request, or a call of a provider, ended.
RESULTS: Final = {
    "ok": N_("Answered"),
    "completed": N_("Answered in full"),
    "cut": N_("Cut off by the provider"),
    "client-left": N_("The client left"),
    "auth": N_("Secret refused"),
    "funds": N_("No money at the provider"),
    "rate": N_("Rate limit at the provider"),
    "overloaded": N_("Provider overloaded"),
    "timeout": N_("No answer in time"),
    "too_slow": N_("Too slow"),
    "bad_request": N_("Request refused by the provider"),
    "not_found": N_("Model not found at the provider"),
    "content_filter": N_("Stopped by a content filter"),
    "connect": N_("No connection"),
    "unreachable": N_("Not reachable"),
    "unexpected": N_("Unexpected answer"),
    "unknown": N_("Failed"),
    "truncated": N_("Cut off by the provider"),
    "error_event": N_("Error within the answer"),
    "not_sse": N_("Unexpected answer"),
    "garbage": N_("Unexpected answer"),
    "event_too_long": N_("Answer too long"),
    "stream_too_long": N_("Answer too long"),
}
USAGE_SOURCES: Final = {
    "provider": N_("as the provider told"),
    "estimated": N_("estimated by us"),
    "none": N_("not told"),
}
#: Why the planner passes a deployment over, or cannot use it.
PASSED: Final = {
    "not_allowed": N_("the account or the key does not allow this provider"),
    "not_wanted": N_("the client does not want this provider"),
    "too_small": N_("its context is too short for the prompt"),
    "cannot": N_("it does not offer this kind of request"),
    "breaker_open": N_("its breaker is open"),
    "trial_under_way": N_("its breaker lets one trial pass at a time"),
    "credential_dead": N_("the provider refuses its credential"),
    "credential_resting": N_("the provider asked to wait"),
    "no_fallback": N_("the client allows no other"),
    "deployment_disabled": N_("the deployment is disabled"),
    "provider_disabled": N_("the provider is disabled"),
    "credential_revoked": N_("its credential is revoked"),
    "credential_elsewhere": N_("its credential was entered for another address"),
    "no_secret": N_("its secret cannot be opened"),
}
#: Why a request is refused before anything is tried.
STOPS: Final = {
    "no_model": N_("there is no such model"),
    "account_not_open": N_("the account is not open"),
    "key_revoked": N_("the key is revoked"),
    "key_expired": N_("the key has expired"),
    "model_not_allowed": N_("the account or the key does not allow this model"),
    "no_price": N_("the model has no price"),
    "not_served": N_("nothing serves the model"),
    "no_deployment": N_("no deployment may serve it"),
}
ORDERS: Final = {
    "placed": N_("Not paid yet"),
    "session_open": N_("At the payment page"),
    "processing": N_("Payment under way"),
    "failed": N_("Payment failed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
    "credited": N_("Credited"),
    "partly_refunded": N_("Partly refunded"),
    "refunded": N_("Refunded"),
    "disputed": N_("Disputed"),
}
RETURN_KINDS: Final = {"refund": N_("Refund"), "dispute": N_("Dispute")}
#: How a refund or a dispute stands.
RETURNS: Final = {
    "requested": N_("Waits for a second operator"),
    "approved": N_("To be paid back"),
    "submitted": N_("On its way back"),
    "succeeded": N_("Paid back"),
    "failed": N_("Not paid back"),
    "external": N_("Made at the provider"),
    "reversed": N_("Reversed at the provider"),
    "open": N_("Open"),
    "won": N_("Won"),
    "lost": N_("Lost"),
}
PAYMENTS: Final = {
    "manual": N_("Bank transfer"),
    "invoice": N_("On account"),
    "stripe": N_("Stripe"),
    "alipay": N_("Alipay"),
    "wechat": N_("WeChat Pay"),
}
#: What happened to an order, by the middle of the fact's topic.
ORDER_FACTS: Final = {
    "placed": N_("Order placed"),
    "session-opened": N_("Payment page opened"),
    "session-expired": N_("Payment page expired"),
    "payment-processing": N_("Payment under way"),
    "payment-failed": N_("Payment failed"),
    "payment-captured": N_("Payment received"),
    "payment-mismatched": N_("A payment does not match"),
    "credited": N_("Credited"),
    "cancelled": N_("Order cancelled"),
    "expired": N_("Order expired"),
    "settlement-proposed": N_("Transfer confirmed, waits for a second operator"),
    "settlement-denied": N_("Confirmation taken back"),
    "refund-requested": N_("Refund asked for"),
    "refund-approved": N_("Refund approved"),
    "refund-submitted": N_("Refund sent to the provider"),
    "refund-succeeded": N_("Refund paid out"),
    "refund-failed": N_("Refund failed"),
    "external-refund-observed": N_("Refunded at the provider"),
    "external-refund-reversed": N_("Refund at the provider reversed"),
    "refund-request-filed": N_("The customer asks for a refund"),
    "refund-request-withdrawn": N_("The customer asks no more for a refund"),
    "refund-request-accepted": N_("Refund for the customer accepted"),
    "refund-request-declined": N_("Refund for the customer declined"),
    "dispute-opened": N_("Dispute opened"),
    "dispute-funds-withdrawn": N_("Disputed money taken by the provider"),
    "dispute-funds-reinstated": N_("Disputed money given back"),
    "dispute-won": N_("Dispute won"),
    "dispute-lost": N_("Dispute lost"),
}
#: How an order stands, and how it can be paid, in words for customers.
ORDER_STATES: Final = {
    "placed": N_("Not paid yet"),
    "session_open": N_("Not paid yet"),
    "processing": N_("Payment under way"),
    "failed": N_("Payment failed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
    "credited": N_("Credited"),
    "partly_refunded": N_("Partly refunded"),
    "refunded": N_("Refunded"),
    "disputed": N_("Disputed"),
}
#: What a month is compared by, and who tells the other side of it.
MONTH_FIGURES: Final = {
    "deferred": N_("Service owed to customers"),
    "tax": N_("Tax owed"),
    "refunds_under_way": N_("Refunds under way"),
    "disputes_under_way": N_("Disputes under way"),
    "receivable": N_("Owed by customers on account"),
    "transfers": N_("Bank transfers of customers"),
    "received": N_("Received by the provider"),
    "refunded": N_("Paid back by the provider"),
    "disputed": N_("Moved by disputes"),
    "fees": N_("Fees of the provider"),
    "paid_out": N_("Paid out to our bank"),
    "unmatched": N_("Lines that no order tells of"),
    "bills": N_("Bills of model providers"),
    "bought": N_("Credit bought"),
    "gone_back": N_("Credit gone back"),
}
MONTH_SOURCES: Final = {
    "documents": N_("invoices and credit notes"),
    "orders": N_("orders"),
    "lines": N_("the provider's lines"),
    "bills": N_("bills"),
    "statements": N_("statements"),
}
#: Why customers want money back, and how their request stands.
REFUND_REASONS: Final = {
    "not_needed": N_("I do not need the credit any more"),
    "by_mistake": N_("I bought it by mistake"),
    "not_satisfied": N_("I am not satisfied"),
    "other": N_("Another reason"),
}
REFUND_REQUESTS: Final = {
    "open": N_("We are looking at it"),
    "withdrawn": N_("Withdrawn"),
    "accepted": N_("Accepted"),
    "declined": N_("Declined"),
}
WORK: Final = {
    "rebuild": N_("Rebuild of read models"),
    "ledger": N_("Export of all events"),
    "charges": N_("Export of charges"),
    "journal": N_("Export of the books"),
}
FIGURES: Final = {
    "bytes": N_("bytes"),
    "events": N_("events"),
    "position": N_("position"),
    "rows": N_("rows"),
    "transactions": N_("transactions"),
}
WAYS: Final = {
    "stripe": N_("Card and other online payment"),
    "alipay": N_("Alipay"),
    "wechat": N_("WeChat Pay"),
    "manual": N_("Bank transfer"),
    "invoice": N_("On account, by invoice"),
}
#: What keeps automatic top-ups from happening, though they are on.
HINDRANCES: Final = {
    "account": N_("Nothing is topped up while the account is suspended or closed."),
    "debt": N_("Nothing is topped up automatically while the account owes credit. Top up by hand."),
    "dispute": N_("Nothing is topped up automatically while a payment is disputed."),
    "provider": N_("The payment provider of the card is not available here at the moment."),
}
AUTO_STATES: Final = {
    "open": N_("Under way"),
    "needs_customer": N_("Waits for you"),
    "paid": N_("Paid"),
    "declined": N_("Not paid"),
}
DECLINED: Final = N_("The card was declined.")
DECLINES: Final = {
    "insufficient_funds": N_("There is not enough money on the card."),
    "expired_card": N_("The card has expired."),
    "method_forgotten": N_("The card was removed."),
    "authentication_required": N_("The bank asks you to confirm it."),
    "expired": N_("It was not paid in time."),
    "cancelled": N_("The order was cancelled."),
}
#: Names of their own, the same in every language.
CARD_BRANDS: Final = {
    "amex": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
DONE: Final = {
    "code_redeemed": N_("The code is redeemed. The credit is yours."),
    "replayed": N_("On their way again."),
    "pinged": N_("A test message is on its way."),
    "order_cancelled": N_("The order is cancelled."),
    "prices_proposed": N_("Proposed. Nothing costs this before another operator has approved it."),
    "saved": N_("Saved."),
    "done": N_("Done."),
    "signed_out": N_("You are signed out."),
    "passkey_added": N_("The passkey is added. Next time you can sign in with it."),
    "passkey_removed": N_("The passkey is removed. Nobody can sign in with it any more."),
    "password_changed": N_("Your password was changed. Everywhere else you are signed out."),
    "totp_off": N_("No codes are asked for any more."),
    "password_reset": N_("Your password is new. Sign in with it."),
    "account_opened": N_("Welcome. The account is yours."),
    "confirmation_sent": N_("A mail with a link is on its way to you."),
    "address_link_sent": N_(
        "A mail with a link is on its way to the new address. Open the link in this browser, within a day: until then nothing changes."
    ),
    "address_changed": N_("Your address is the new one. Everywhere else you are signed out."),
    "address_taken_back": N_(
        "Your address and your account are yours again. Sign in with the new password, then look at your passkeys and your second factor."
    ),
    "address_confirmed": N_("Your address is confirmed."),
    "person_erased": N_("You are erased. Thank you for having been here."),
    "account_erased": N_("The account is closed, and its personal data is erased."),
    "left": N_("You are no member of the account any more."),
    "joined": N_("Welcome. You are a member now."),
    "operator_joined": N_("Welcome. You are an operator of this installation now."),
    "sessions_closed": N_("You are signed out everywhere but here."),
    "session_closed": N_("That device is signed out."),
    "expired": N_("Sign in to go on."),
    "probe_ok": N_("The provider answered and takes the secrets."),
    "probe_failed": N_("The provider did not answer as it should:"),
    "kept_untried": N_("Done, but nothing shows yet that it works. The provider was asked:"),
}
