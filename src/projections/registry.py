"""All read models, in one place. A new one is added here and nowhere else."""

from projections.adjustments import Adjustments
from projections.audit_log import AuditLog
from projections.auto_recharges import AutoRecharges
from projections.balances import Balances
from projections.budgets import Budgets
from projections.catalogue import Catalogue
from projections.charge_reviews import ChargeReviews
from projections.codes import Codes
from projections.documents import Documents
from projections.keys import Keys
from projections.lot_ends import LotEnds
from projections.money import Money
from projections.money_months import MoneyMonths
from projections.orders import Orders
from projections.postpaid import PostpaidAccounts
from projections.projection import Projection
from projections.refund_requests import RefundRequests
from projections.request_log import RequestLog
from projections.statement import Statements
from projections.trial_balance import TrialBalances
from projections.usage import Usage
from projections.work import WorkList


def all_projections() -> tuple[Projection, ...]:
    return (
        Balances(),
        RequestLog(),
        Usage(),
        Statements(),
        TrialBalances(),
        AuditLog(),
        LotEnds(),
        Budgets(),
        Orders(),
        Adjustments(),
        Codes(),
        ChargeReviews(),
        RefundRequests(),
        Money(),
        MoneyMonths(),
        Keys(),
        Catalogue(),
        Documents(),
        AutoRecharges(),
        PostpaidAccounts(),
        WorkList(),
    )
