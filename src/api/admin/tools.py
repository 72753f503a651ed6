"""What the admin API works with."""

from collections.abc import Callable

import msgspec

from application.balance_alerts.queries import LowBalanceQueries
from application.budgets.queries import BudgetQueries
from application.catalogue.queries import CatalogueQueries
from application.command import Ports
from application.directory import Directory
from application.documents.statement_files import StatementFiles
from application.idempotency import IdempotencyStore
from application.invoicing.files import DocumentFiles
from application.invoicing.order_receipts import OrderReceipts
from application.invoicing.queries import DocumentQueries
from application.keys.queries import KeyQueries
from application.money.month import MonthQueries
from application.money.queries import MoneyQueries
from application.postpaid.queries import PostpaidQueries
from application.promotions.queries import CodeQueries
from application.queries import BalanceQueries, RequestQueries
from application.receipts.issuing import Receipts
from application.recharge.queries import OrderQueries
from application.recharge.returns import ReturnQueries
from application.refunds.queries import RefundRequestQueries
from application.reports.adjustments import AdjustmentQueries
from application.reports.audit_log import AuditQueries
from application.reports.calls import CallQueries
from application.reports.health import HealthQueries
from application.reports.reviews import ReviewQueries
from application.reports.statement import StatementQueries
from application.reports.usage import UsageQueries
from application.sealing.reading import SealedLog
from application.work.queries import Runs, WorkQueries


class AdminTools(msgspec.Struct, frozen=True, kw_only=True):
    """Ports. `directory` belongs to the event loop that serves; `wake` makes it follow at once."""

    ports: Ports
    directory: Directory
    idempotency: IdempotencyStore
    balances: BalanceQueries
    requests: RequestQueries
    calls: CallQueries
    usage: UsageQueries
    statements: StatementQueries
    keys: KeyQueries
    catalogue: CatalogueQueries
    orders: OrderQueries
    postpaid: PostpaidQueries
    refund_requests: RefundRequestQueries
    returns: ReturnQueries
    money: MoneyQueries
    months: MonthQueries
    budgets: BudgetQueries
    low_balances: LowBalanceQueries
    acts: AuditQueries
    adjustments: AdjustmentQueries
    codes: CodeQueries
    reviews: ReviewQueries
    health: HealthQueries
    work: WorkQueries
    runs: Runs
    wake: Callable[[], None]
    receipts: Receipts
    files: DocumentFiles
    documents: DocumentQueries
    order_receipts: OrderReceipts
    statement_files: StatementFiles
    sealed: SealedLog | None = None
