"""A repricing plan as it is shown: to the API and as CSV."""

import csv
import io
from uuid import UUID

import msgspec

from domain.repricing import RepricingPlan


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One customer of a repricing plan."""

    account_id: UUID
    charges: int
    paid_nano: int
    right_nano: int
    due_nano: int  #: what the customer gets back; negative: what they paid too little


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a repricing run would do; `sha256` is the `plan` of `repricing/post`."""

    items: tuple[PlanRow, ...]
    charges: int
    credit_nano: int
    debit_nano: int
    sha256: str


def plan_answer(plan: RepricingPlan) -> PlanAnswer:
    """A plan in words of the API."""
    rows = tuple(PlanRow(**msgspec.structs.asdict(one), due_nano=one.due_nano) for one in plan.accounts)
    return PlanAnswer(
        items=rows,
        charges=plan.charges,
        credit_nano=plan.credit_nano,
        debit_nano=plan.debit_nano,
        sha256=plan.sha256,
    )


def plan_csv(plan: RepricingPlan) -> str:
    """RFC 4180, a line for each customer; no cell can be taken for a formula."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(PlanRow.__struct_fields__)
    rows.writerows(msgspec.structs.astuple(row) for row in plan_answer(plan).items)
    return out.getvalue()
