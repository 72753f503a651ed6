"""Commands about credit: what is granted, bounded, corrected and closed."""

from typing import Final

from api.admin import credit
from api.admin.tables.entry import Entry, entry
from application.adjustments import (
    adjust_credit,
    approve_adjustment,
    deny_adjustment,
    void_lot,
    write_off_debt,
)
from application.balance_alerts import set_threshold
from application.budgets import remove_budget, set_budget
from application.charges import dispute_charge, report_usage, review_charge
from application.periods import close_period
from application.promotions import issue_codes, redeem_code, start_demo, withdraw_codes
from application.repricing import approve_run, post_run
from domain.ledger.disputing import DISPUTE_DAYS

LEDGER: Final[tuple[Entry, ...]] = (
    entry(
        "credit",
        "grant",
        credit.handle,
        "Add credit to an account. The same lot id is granted once.",
        new_id="lot_id",
    ),
    entry(
        "credit",
        "adjust",
        adjust_credit.handle,
        "Correct an account's credit by a new entry, in its favour or not. A debit takes what is available and never more; above "
        "ADJUSTMENT_APPROVAL_NANO it waits for a second operator. The same adjustment id is posted once.",
        new_id="adjustment_id",
    ),
    entry(
        "credit",
        "void",
        void_lot.handle,
        "Take back what is left of a lot of credit. What is lent to gateways is spent by requests under way, or is gone when it "
        "comes back; above ADJUSTMENT_APPROVAL_NANO it waits for a second operator.",
        new_id="adjustment_id",
    ),
    entry(
        "credit",
        "demo",
        start_demo.handle,
        "Give a customer credit to try with, which ends after some days. One for each account, and for each address of its owners.",
    ),
    entry(
        "credit",
        "write-off",
        write_off_debt.handle,
        "Give up what an account owes for credit that it spent and whose payment went back. A second operator must agree, whatever "
        "the amount; then the account can spend again.",
        new_id="adjustment_id",
    ),
    entry(
        "credit",
        "approve",
        approve_adjustment.handle,
        "Agree to an adjustment that another operator has asked for. It is posted at once.",
    ),
    entry(
        "credit",
        "deny",
        deny_adjustment.handle,
        "Refuse an adjustment that another operator has asked for, for good.",
    ),
    entry(
        "balance",
        "threshold",
        set_threshold.handle,
        "Say below which balance an account is told of. Without an account it is for all that have no threshold of their own; without "
        "a threshold it is taken away, and 0 is never below.",
    ),
    entry(
        "budget",
        "set",
        set_budget.handle,
        "Bound what a key or an account may spend in a day, a month or the last hours. A hard budget refuses what does not fit, a "
        "soft one only tells. With its id, another amount or other alerts may be set; what it is for and its window never change.",
        new_id="budget_id",
    ),
    entry("budget", "remove", remove_budget.handle, "End a budget. What was spent of it stays known."),
    entry(
        "charge",
        "review",
        review_charge.handle,
        "Decide about a charge that was held because its usage cannot be, or that is disputed. Without an amount it is upheld; else "
        "the difference is an adjustment, which above ADJUSTMENT_APPROVAL_NANO waits for a second operator. It is decided once, and "
        "again only if it is disputed again.",
    ),
    entry(
        "charge",
        "dispute",
        dispute_charge.handle,
        f"Say that the charge of a request is wrong, within {DISPUTE_DAYS} days of its end. Somebody looks at it then, and takes "
        "back what was too much; nothing moves before.",
    ),
    entry(
        "charge",
        "usage",
        report_usage.handle,
        "Take in all that a request has used, as its provider told it after the request had ended. It is rated by the price of its "
        "time; the difference is an adjustment. A debit takes what is available, and the operator bears the rest. The same report of "
        "a provider counts once.",
    ),
    entry(
        "repricing",
        "post",
        post_run.handle,
        "Give back what charges of the past cost more than by another version of the prices. Ask `repricing plan` first: it is refused "
        "unless the plan still comes out as it was. One adjustment for each customer; may be repeated.",
    ),
    entry(
        "repricing",
        "approve",
        approve_run.handle,
        "Agree to all adjustments of a repricing run that another operator has posted.",
    ),
    entry(
        "code",
        "issue",
        issue_codes.handle,
        "Make codes that customers redeem for promotional credit, each once; they are shown this one time.",
        new_id="batch_id",
    ),
    entry(
        "code",
        "withdraw",
        withdraw_codes.handle,
        "Let no code of a batch be redeemed any more. What was redeemed stays.",
    ),
    entry(
        "code",
        "redeem",
        redeem_code.handle,
        "Turn a code into credit. Ten codes in an hour that there are not, and the account has to wait.",
    ),
    entry(
        "period",
        "close",
        close_period.handle,
        "Seal the books of a month that is over. Nothing can be booked into it any more; the trial balance stands in the log.",
    ),
)
