"""Commands about money: orders, refunds, the books in money, and documents."""

from typing import Final

from api.admin.tables.entry import Entry, entry
from application.auto_recharge import forget_method, save_method, set_rule, stop
from application.checkout import open_checkout, replay_webhook
from application.invoicing import (
    erase_billing,
    issue_credit_note,
    issue_invoice,
    issue_order_invoice,
    open_series,
    set_billing,
    set_exchange_rate,
    set_invoicing,
    set_seller,
    take_note_back,
)
from application.money import book_cost
from application.postpaid import approve_limit, deny_limit, lift_limit, propose_limit
from application.recharge import (
    approve_settlement,
    cancel_order,
    deny_settlement,
    place_order,
    set_offer,
    settle_order,
)
from application.refunds import (
    accept_request,
    approve_refund,
    confirm_refund,
    decline_request,
    deny_refund,
    fail_refund,
    file_request,
    request_refund,
    withdraw_request,
)

COMMERCE: Final[tuple[Entry, ...]] = (
    entry(
        "offer",
        "set",
        set_offer.handle,
        "Say what credit costs in one currency. It replaces the currency's offer before; orders that are placed keep their terms.",
    ),
    entry(
        "order",
        "place",
        place_order.handle,
        "Order credit for an account. It is credited when it is paid; the answer has what to pay and the reference of a transfer. With the "
        "provider `invoice` it is on account: credited at once, within the account's limit, and paid by bank transfer later.",
        new_id="order_id",
    ),
    entry(
        "order",
        "cancel",
        cancel_order.handle,
        "Wait for no payment of an order any more. One that comes in nevertheless is credited.",
    ),
    entry(
        "order",
        "settle",
        settle_order.handle,
        "Confirm that the bank transfer for an order has come in, or for what is owed of one on account. From the offer's threshold on a second operator must approve.",
    ),
    entry(
        "order",
        "approve",
        approve_settlement.handle,
        "Credit an order whose transfer another operator confirmed.",
    ),
    entry(
        "order",
        "deny",
        deny_settlement.handle,
        "Take back the confirmation of a transfer that waits for approval. The order waits for a transfer again.",
    ),
    entry(
        "order",
        "checkout",
        open_checkout.handle,
        "Open the page of an order's payment provider. Asked again while it is open, it is the same page.",
    ),
    entry(
        "postpaid",
        "propose",
        propose_limit.handle,
        "Want an account to buy on account: so much may be unpaid at a time, and is to be paid within so many days. Always waits for a second "
        "operator, and then replaces the limit that there is.",
        new_id="proposal_id",
    ),
    entry(
        "postpaid",
        "approve",
        approve_limit.handle,
        "Agree to a limit that another operator has proposed. It holds for what is bought from then on.",
    ),
    entry(
        "postpaid",
        "deny",
        deny_limit.handle,
        "Refuse a limit that waits for approval, or take your own proposal back.",
    ),
    entry(
        "postpaid",
        "lift",
        lift_limit.handle,
        "Sell nothing more on account to an account. What was bought stays bought, and is due when it was.",
    ),
    entry(
        "auto-recharge",
        "method",
        save_method.handle,
        "Open a page on which a customer leaves a payment method for automatic recharges. It replaces the one before; nothing is paid there.",
    ),
    entry(
        "auto-recharge",
        "set",
        set_rule.handle,
        "Have an account recharge by itself when its balance is low, with the payment method that its customer has left, up to so much "
        "in a calendar month.",
    ),
    entry(
        "auto-recharge",
        "stop",
        stop.handle,
        "Have an account recharge by itself no more. An order that is under way goes on.",
    ),
    entry(
        "auto-recharge",
        "forget",
        forget_method.handle,
        "Forget the payment method that a customer has left. Automatic recharges stop with it.",
    ),
    entry(
        "refund",
        "request",
        request_refund.handle,
        "Pay back money of an order whose credit is unspent; all of that if no amount is given. The credit is set aside at once, bonus "
        "in proportion; of much a second operator must approve. The same refund id is refunded once.",
        new_id="refund_id",
    ),
    entry(
        "refund",
        "approve",
        approve_refund.handle,
        "Agree to a refund that another operator has asked for. The provider is asked to pay it back.",
    ),
    entry(
        "refund",
        "deny",
        deny_refund.handle,
        "Refuse a refund that waits for approval, or take your own back. Its credit is the customer's again.",
    ),
    entry(
        "refund",
        "confirm",
        confirm_refund.handle,
        "Confirm that a refund was paid by bank transfer, for orders that were paid so.",
    ),
    entry(
        "refund",
        "fail",
        fail_refund.handle,
        "Say that a bank transfer back could not be made, or came back. Its credit is the customer's again.",
    ),
    entry(
        "refund-request",
        "file",
        file_request.handle,
        "Ask for a refund of what is unspent of an order, for its customer. One at a time for an order; nothing is set aside until an "
        "operator accepts it.",
        new_id="refund_id",
    ),
    entry(
        "refund-request",
        "withdraw",
        withdraw_request.handle,
        "Ask no more for a refund that nobody has decided about.",
    ),
    entry(
        "refund-request",
        "accept",
        accept_request.handle,
        "Agree to a refund that a customer asked for: as `refund request` does it, and with the same id. All that is unspent by now goes "
        "back if no amount is given.",
    ),
    entry(
        "refund-request",
        "decline",
        decline_request.handle,
        "Do not agree to a refund that a customer asked for. The customer reads the reason.",
    ),
    entry(
        "money",
        "cost",
        book_cost.handle,
        "Book what a provider has billed. The number of its bill is booked once.",
    ),
    entry(
        "webhook",
        "replay",
        replay_webhook.handle,
        "Handle a parked message of a payment provider again. Its object is asked for at the provider anew.",
    ),
    entry(
        "seller",
        "set",
        set_seller.handle,
        "Say how documents name a seller, new or as it is from now on. What was issued stays as it is.",
        new_id="seller_id",
    ),
    entry(
        "series",
        "open",
        open_series.handle,
        "Open a series of numbers for a seller's documents. The newest of a kind is used; numbers begin at 1 and have no gap.",
    ),
    entry(
        "exchange-rate",
        "set",
        set_exchange_rate.handle,
        "Keep an exchange rate for a seller's invoices in another currency than its tax office reads. They note the newest of the day of their "
        "supply or before, for as many days as it is good; one of the same day replaces it, and what was issued stays as it is.",
    ),
    entry(
        "invoicing",
        "set",
        set_invoicing.handle,
        "Have each credited order get its invoice by itself, and each refund its credit note, from this seller; from nobody if it is left "
        "out. Orders of accounts without a billing profile wait for one.",
    ),
    entry(
        "billing",
        "set",
        set_billing.handle,
        "Say whom the documents of an account are for. It is kept encrypted with a key of the buyer's own.",
    ),
    entry(
        "billing",
        "erase",
        erase_billing.handle,
        "Destroy the buyer of an account's documents, for good. Only when no law wants them kept any longer.",
    ),
    entry(
        "invoice",
        "issue",
        issue_invoice.handle,
        "Issue an invoice with the next number of its series. The same invoice id is issued once, and nothing issued ever changes.",
        new_id="invoice_id",
    ),
    entry(
        "invoice",
        "order",
        issue_order_invoice.handle,
        "Issue the invoice of an order that was paid and credited. There is one, however often it is asked for.",
    ),
    entry(
        "credit-note",
        "issue",
        issue_credit_note.handle,
        "Take back an invoice or a part of it. All credit notes of an invoice together are never more than it.",
        new_id="credit_note_id",
    ),
    entry(
        "credit-note",
        "take-back",
        take_note_back.handle,
        "Issue the invoice that takes a credit note back as a whole, because what it was for came to nothing. Refunds that come back get theirs by themselves.",
        new_id="invoice_id",
    ),
)
