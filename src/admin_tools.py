"""What the operators' API and the console both work with, made once from what their processes have."""

from typing import Protocol

from adapters.documents.printing import ChildPrinter
from adapters.eventstore.store import PostgresEventStore
from adapters.vault.idempotency import PostgresIdempotencyStore
from adapters.vault.master_keys import parse_master_keys
from adapters.verifications import PostgresVerifications
from adapters.work_runs import PostgresRuns
from api.admin.tools import AdminTools
from application.clock import SystemClock
from application.command import Ports
from application.directory import Directory
from application.directory_follower import DirectoryFollower
from application.receipts.issuing import Receipts
from application.sealing.reading import SealedLog
from bootstrap import Pool
from domain.topics import REGISTRY
from paper_tools import document_files, order_receipts, statement_files
from projections.adjustments import AdjustmentReader
from projections.audit_log import AuditReader
from projections.balances import BalanceReader
from projections.books_check import PostgresBooksChecks
from projections.budget_reader import BudgetReader
from projections.call_stats import CallReader
from projections.catalogue_reader import CatalogueReader
from projections.charge_reviews import ReviewReader
from projections.codes import CodeReader
from projections.document_reader import DocumentReader
from projections.health import HealthReader
from projections.key_reader import KeyReader
from projections.low_balances import LowBalanceReader
from projections.money import MoneyReader
from projections.money_months import MonthReader
from projections.orders import OrderReader
from projections.postpaid import PostpaidReader
from projections.refund_requests import RefundRequestReader
from projections.registry import all_projections
from projections.request_log import RequestReader
from projections.returns import ReturnReader
from projections.service import ProjectionService
from projections.statement_reader import StatementReader
from projections.usage_reader import UsageReader
from projections.work import WorkReader
from settings import Settings


class Process(Protocol):
    """A process that serves operators."""

    settings: Settings
    clock: SystemClock
    pool: Pool
    store: PostgresEventStore
    ports: Ports
    directory: Directory
    follower: DirectoryFollower
    sealed: SealedLog | None
    receipts: Receipts


def make_admin_tools(process: Process) -> AdminTools:
    """All of it; the process owns its connections."""
    pool, printer = process.pool, ChildPrinter()
    files = document_files(process.ports, pool, printer)
    return AdminTools(
        ports=process.ports,
        directory=process.directory,
        idempotency=PostgresIdempotencyStore(pool, parse_master_keys(process.settings.tokenok_master_key)),
        balances=BalanceReader(pool),
        requests=RequestReader(pool),
        calls=CallReader(pool),
        usage=UsageReader(pool),
        statements=StatementReader(pool),
        keys=KeyReader(pool),
        catalogue=CatalogueReader(pool),
        orders=OrderReader(pool),
        postpaid=PostpaidReader(pool),
        refund_requests=RefundRequestReader(pool),
        returns=ReturnReader(pool),
        money=MoneyReader(pool),
        months=MonthReader(pool),
        budgets=BudgetReader(pool),
        low_balances=LowBalanceReader(pool),
        acts=AuditReader(pool),
        adjustments=AdjustmentReader(pool),
        codes=CodeReader(pool),
        reviews=ReviewReader(pool),
        health=make_health(process),
        work=WorkReader(pool),
        runs=PostgresRuns(pool),
        wake=process.follower.wake,
        sealed=process.sealed,
        receipts=process.receipts,
        files=files,
        documents=DocumentReader(pool),
        order_receipts=order_receipts(process.ports, files, printer),
        statement_files=statement_files(process.ports, pool, printer, process.sealed),
    )


def make_projections(process: Process) -> ProjectionService:
    """How far the read models are."""
    return ProjectionService(
        pool=process.pool,
        store=process.store,
        registry=REGISTRY,
        projections=all_projections(),
        clock=process.clock,
    )


def make_health(process: Process) -> HealthReader:
    """Whether the books are right."""
    return HealthReader(
        checks=PostgresBooksChecks(process.pool, clock=process.clock),
        projections=make_projections(process),
        verifications=PostgresVerifications(process.pool),
        reviews=ReviewReader(process.pool),
        clock=process.clock,
    )
