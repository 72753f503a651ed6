"""Commands of the command line that show corrections: adjustments, and what waits for somebody to decide."""

import argparse
from typing import Any, get_args
from uuid import UUID

from application.reports.adjustments import AdjustmentFilter, AdjustmentPage
from application.repricing.answer import plan_answer, plan_csv
from application.repricing.plan import plan_repricing
from bootstrap import open_pool, open_store
from commandline.outcome import Outcome, add_tool
from commandline.texts import credits_of, table, time_of
from domain.ledger.adjustments import AdjustmentState
from domain.repricing import RepricingPlan, RepricingQuestion
from projections.adjustments import AdjustmentReader
from settings import Settings


def add_corrections(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(nouns["credit"], "adjustments", run_adjustments, "corrections of credit, newest first")
    listing.add_argument("--state", choices=get_args(AdjustmentState), help="`waiting` for a second operator")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--ref", type=UUID, metavar="UUID", help="about this request, run or fact")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")

    plan = add_tool(
        nouns["repricing"], "plan", run_plan, "what charges would have cost by another version of the prices"
    )
    plan.add_argument("--alias", required=True, metavar="NAME", help="the model, as clients write it")
    plan.add_argument(
        "--from-us",
        type=int,
        required=True,
        metavar="US",
        help="charged from this time, in microseconds since 1970",
    )
    plan.add_argument("--until-us", type=int, required=True, metavar="US", help="to before this one")
    plan.add_argument(
        "--price-version",
        type=int,
        metavar="NUMBER",
        help="charged by this version; by any other if left out",
    )
    plan.add_argument(
        "--new-price-version", type=int, required=True, metavar="NUMBER", help="the version that is right"
    )
    plan.add_argument("--csv", action="store_true", help="print CSV, one line for each customer")
    plan.epilog = (
        "Writes nothing. `repricing post` with the same arguments and the hash as --plan makes it true."
    )


def run_plan(settings: Settings, values: argparse.Namespace) -> Outcome:
    question = RepricingQuestion(
        **{name: getattr(values, name) for name in RepricingQuestion.__struct_fields__}
    )
    with open_store(settings) as store:
        plan = plan_repricing(store, question)
    return Outcome(plan_answer(plan), text=plan_csv(plan) if values.csv else _plan_text(plan))


def _plan_text(plan: RepricingPlan) -> str:
    head = ("ACCOUNT", "CHARGES", "PAID", "RIGHT", "GETS BACK")
    rows = [
        (
            str(one.account_id),
            str(one.charges),
            credits_of(one.paid_nano),
            credits_of(one.right_nano),
            credits_of(one.due_nano),
        )
        for one in plan.accounts
    ]
    listed = table(head, rows) if rows else "No such charges.\n"
    sums = f"{plan.charges} charges; {credits_of(plan.credit_nano)} credits to give, {credits_of(plan.debit_nano)} were paid too little"
    return f"{listed}\n{sums}\nPlan {plan.sha256}\n"


def run_adjustments(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = AdjustmentFilter(state=values.state, account_id=values.account_id, ref=values.ref)
    with open_pool(settings) as pool:
        page = AdjustmentReader(pool).adjustments(
            wanted, before_position=values.before_position, limit=values.limit
        )
    return Outcome(page, text=_adjustments_text(page))


def _adjustments_text(page: AdjustmentPage) -> str:
    head = ("ASKED (UTC)", "ADJUSTMENT", "ACCOUNT", "WHAT", "CREDITS", "STATE", "BY", "WHY")
    rows = [
        (
            f"{time_of(one.requested_us):%Y-%m-%d %H:%M:%S}",
            str(one.adjustment_id),
            str(one.account_id),
            one.kind,
            credits_of(one.amount_nano),
            one.state,
            one.requested_by,
            one.reason,
        )
        for one in page.items
    ]
    if not rows:
        return "Nothing.\n"
    more = "" if page.next_before is None else f"\nMore with --before-position {page.next_before}\n"
    return table(head, rows) + more
