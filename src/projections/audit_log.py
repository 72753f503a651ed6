"""Read model `audit_log`: who did what to what, why, and what it changed.

For auditors and support. Must not be used to decide what anything is like now: the streams say that. What a fact changed
is found by folding the facts about its subject: a field's value before is the one that the newest fact before it set.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec
from psycopg.rows import dict_row

from application.queries import PAGE_ROWS_MAX, clean
from application.reports.audit_log import Act, ActFilter, ActPage
from domain.accounts import (
    AccountClosed,
    AccountContactSet,
    AccountOpened,
    AccountPersonalDataErased,
    AccountReinstated,
    AccountSuspended,
)
from domain.announcements import AnnouncementSet, AnnouncementWithdrawn
from domain.budgets.events import BudgetRemoved, BudgetSet
from domain.catalogue.alias import AliasPointed, AliasRemoved, RouteSet
from domain.catalogue.credential import CredentialRevoked, CredentialStored
from domain.catalogue.deployment import DeploymentAdded, DeploymentDisabled, DeploymentEnabled
from domain.catalogue.price_proposals import PricesApproved, PricesDenied, PricesProposed
from domain.catalogue.prices import PriceListPublished
from domain.catalogue.provider import ProviderDisabled, ProviderEnabled, ProviderRegistered
from domain.event import Event
from domain.fact import Fact
from domain.health.events import HEALTH_EVENTS
from domain.hooks.events import EndpointDisabled, EndpointEnabled, EndpointRegistered, EndpointRemoved
from domain.invoicing.document import DocumentPrinted
from domain.invoicing.sellers import NumberTaken
from domain.keys.events import ApiKeyIssued, ApiKeyRevoked, KeySecretClaimed
from domain.ledger.adjustments import AdjustmentApproved, AdjustmentDenied, AdjustmentRequested
from domain.ledger.charges import UsageReportTaken
from domain.ledger.claim_events import ReceivableWrittenOff
from domain.ledger.events import AdjustmentPosted, CreditLotGranted, CreditLotVoided
from domain.management import ManagementKeyIssued, ManagementKeyRevoked
from domain.operators import OperatorDisabled, OperatorJoined, OperatorRegistered
from domain.postpaid.events import (
    AccountOrderPaid,
    AccountOrderReduced,
    BoughtOnAccount,
    PaymentReminded,
    PostpaidLimitApproved,
    PostpaidLimitDenied,
    PostpaidLimitLifted,
    PostpaidLimitProposed,
)
from domain.promotions.demo import DemoClaimed, DemoStarted
from domain.promotions.events import RedemptionCodeIssued, RedemptionCodeRedeemed, RedemptionCounted
from domain.topics import ALL_EVENTS
from projections.arrays import array_literal, column_literals
from projections.books import Books, mark_table
from projections.projection import Connection, Located, Pool, Table, Write, topics_of
from projections.sums import TEXT

#: Facts with an actor that are no acts: what processes notice and make, and the other half of something.
NO_ACTS: Final = frozenset(
    {
        *HEALTH_EVENTS,
        KeySecretClaimed,
        NumberTaken,
        DocumentPrinted,
        RedemptionCodeIssued,
        RedemptionCodeRedeemed,  # the lot that it became is the act
        RedemptionCounted,
        DemoStarted,
        DemoClaimed,
        UsageReportTaken,
        BoughtOnAccount,  # the order is the act
        AccountOrderPaid,
        AccountOrderReduced,
        PaymentReminded,
    }
)
#: Acts on a wallet: no state of the account that a later one changes. Who did each is told by the field named here.
LOT_ACTS: Final[dict[type[Event], str]] = {
    CreditLotGranted: "granted_by",
    AdjustmentPosted: "requested_by",
    CreditLotVoided: "requested_by",
    ReceivableWrittenOff: "requested_by",
}
ACTS: Final[tuple[type[Event], ...]] = (
    *(kind for kind in ALL_EVENTS if issubclass(kind, Fact) and kind not in NO_ACTS),
    *LOT_ACTS,
)
#: What a fact is about, by the beginning of its topic: the kind, and the field that names it.
_SUBJECTS: Final = {
    "account": ("account", "account_id"),
    "adjustment": ("adjustment", "adjustment_id"),
    "announcement": ("announcement", "announcement_id"),
    "bodies": ("bodies", "account_id"),
    "budget": ("budget", "budget_id"),
    "charge": ("request", "request_id"),
    "auto-recharge": ("automatic recharge", "account_id"),
    "postpaid": ("limit", "account_id"),
    "price-proposal": ("price proposal", "proposal_id"),
    "balance-low": ("balance-threshold", "account_id"),
    "wallet": ("account", "account_id"),
    "key": ("key", "key_id"),
    "operator": ("operator", "operator_id"),
    "mail": ("mail", "mail_id"),
    "member": ("member", "account_id"),
    "management-key": ("management key", "key_id"),
    "code-batch": ("codes", "batch_id"),
    "endpoint": ("endpoint", "endpoint_id"),
    "support": ("account", "account_id"),
    "provider": ("provider", "provider_id"),
    "credential": ("credential", "credential_id"),
    "deployment": ("deployment", "deployment_id"),
    "route": ("alias", "alias"),
    "alias": ("alias", "alias"),
    "period": ("period", "period"),
    "repricing": ("repricing", "run_id"),
    "offer": ("offer", "currency"),
    "order": ("order", "order_id"),
    "seller": ("seller", "seller_id"),
    "exchange-rate": ("exchange rate", "currency"),
    "billing": ("billing", "account_id"),
    "invoice": ("document", "document_id"),
    "invoicing": ("invoicing", ""),
    "credit-note": ("document", "document_id"),
    "work": ("work", "work_id"),
    "webhook": ("webhook", "event_ref"),
    "money": ("bill", "invoice_ref"),
}
_PRICES: Final = ("prices", "")
#: What facts change without a field of that name.
_SETS: Final[dict[type[Event], dict[str, str | None]]] = {
    AccountOpened: {"status": "open"},
    AccountReinstated: {"status": "open"},
    AccountSuspended: {"status": "suspended"},
    AccountClosed: {"status": "closed"},
    AccountContactSet: {"contact": "set"},
    AccountPersonalDataErased: {"contact": "erased"},
    AdjustmentRequested: {"status": "requested"},
    AdjustmentApproved: {"status": "approved"},
    AdjustmentDenied: {"status": "denied"},
    PostpaidLimitProposed: {"status": "proposed"},
    PostpaidLimitApproved: {"status": "approved"},
    PostpaidLimitDenied: {"status": "denied"},
    PostpaidLimitLifted: {"status": "lifted"},
    PricesProposed: {"status": "proposed"},
    PricesApproved: {"status": "approved"},
    PricesDenied: {"status": "denied"},
    AnnouncementSet: {"status": "set"},
    AnnouncementWithdrawn: {"status": "withdrawn"},
    ApiKeyIssued: {"status": "active"},
    ApiKeyRevoked: {"status": "revoked"},
    ManagementKeyIssued: {"status": "active"},
    ManagementKeyRevoked: {"status": "revoked"},
    EndpointRegistered: {"status": "enabled"},
    EndpointEnabled: {"status": "enabled"},
    EndpointDisabled: {"status": "disabled"},
    EndpointRemoved: {"status": "removed"},
    BudgetSet: {"status": "in force"},
    BudgetRemoved: {"status": "removed"},
    OperatorRegistered: {"status": "active"},
    OperatorDisabled: {"status": "disabled"},
    OperatorJoined: {"sign_in": "set"},
    ProviderRegistered: {"status": "enabled"},
    ProviderEnabled: {"status": "enabled"},
    ProviderDisabled: {"status": "disabled"},
    CredentialStored: {"status": "active"},
    CredentialRevoked: {"status": "revoked"},
    DeploymentAdded: {"status": "enabled"},
    DeploymentEnabled: {"status": "enabled"},
    DeploymentDisabled: {"status": "disabled"},
    RouteSet: {"target": None},
    AliasPointed: {"targets": None},
    AliasRemoved: {"target": None, "targets": None},
}
#: Who, when and why have columns of their own; hashes, fingerprints and envelopes stay where they are.
LEFT_OUT: Final = frozenset(
    {
        "actor",
        "granted_by",
        "requested_by",
        "occurred_us",
        "reason",
        "note",
        "secret_hash",
        "fingerprint",
        "pii",
    }
)
_ACTS_TABLE: Final = Table(
    name="audit_log",
    key="position",
    columns=f"""
        position bigint PRIMARY KEY,
        occurred_us bigint NOT NULL,
        actor {TEXT} NOT NULL,
        topic {TEXT} NOT NULL,
        subject_kind {TEXT} NOT NULL,
        subject {TEXT} NOT NULL,
        before text NOT NULL,
        after text NOT NULL,
        reason text
    """,
    indexes=("(actor, position)", "(subject_kind, subject, position)", "(topic, position)"),
)
_SUBJECTS_TABLE: Final = Table(
    name="audit_subjects",
    key="subject_kind, subject",
    columns=f"""
        subject_kind {TEXT} NOT NULL,
        subject {TEXT} NOT NULL,
        state text NOT NULL,
        PRIMARY KEY (subject_kind, subject)
    """,
)
_LOAD: Final = """
    SELECT subject_kind, subject, state FROM {schema}.audit_subjects
    JOIN unnest(%s::text[], %s::text[]) AS wanted (kind, name) ON subject_kind = kind AND subject = name
"""
_STORE_ACTS: Final = """
    INSERT INTO {schema}.audit_log
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s::text[])
    WHERE {moved}
    ON CONFLICT (position) DO NOTHING
"""
_STORE_SUBJECTS: Final = """
    INSERT INTO {schema}.audit_subjects SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) WHERE {moved}
    ON CONFLICT (subject_kind, subject) DO UPDATE SET state = excluded.state
"""

_Subject = tuple[str, str]
_State = dict[str, Any]


class AuditLog:
    """The fold. A state holds what a subject's facts have set so far."""

    name: ClassVar[str] = "audit_log"
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[Table, ...]] = (_ACTS_TABLE, _SUBJECTS_TABLE, mark_table("audit_log"))
    topics: ClassVar[frozenset[str]] = topics_of(ACTS)

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books = Books(connection, schema, self.name)
        new = [booked.fact for booked in books.unseen(facts)]
        if not new:
            return []
        states = _load(connection, schema, list({_subject(fact.event) for fact in new}))
        rows = [_row(fact, states) for fact in new]
        subjects = [(*subject, _json(state)) for subject, state in states.items()]
        return [
            Write(_STORE_ACTS, column_literals(rows)),
            Write(_STORE_SUBJECTS, column_literals(subjects)),
            books.mark(),
        ]


def _load(connection: Connection, schema: str, subjects: list[_Subject]) -> dict[_Subject, _State]:
    states: dict[_Subject, _State] = {subject: {} for subject in subjects}
    wanted = [array_literal(names) for names in zip(*subjects, strict=True)]
    for kind, subject, state in connection.execute(_LOAD.format(schema=schema), wanted):
        states[kind, subject] = msgspec.json.decode(state)
    return states


def _row(fact: Located, states: dict[_Subject, _State]) -> tuple[object, ...]:
    """The row of one act; the subject's state moves on."""
    event: Any = fact.event
    subject = _subject(event)
    state = states[subject]
    after = {name: value for name, value in _changes(event).items() if state.get(name) != value}
    before = {name: state[name] for name in after if name in state}
    if type(event) not in LOT_ACTS:  # each of those is new
        state |= after
    actor = getattr(event, LOT_ACTS.get(type(event), "actor"))
    reason = getattr(event, "reason", None) or getattr(event, "note", None)
    return (
        fact.position,
        event.occurred_us,
        actor,
        event.TOPIC,
        *subject,
        _json(before),
        _json(after),
        reason,
    )


def _subject(event: Any) -> _Subject:
    kind, field = _SUBJECTS.get(event.TOPIC.partition(".")[0], _PRICES)
    name = getattr(event, field) if field else None
    return kind, "" if name is None else clean(str(name))


def _changes(event: Event) -> _State:
    """What the fact says of its subject, as plain values."""
    if isinstance(event, PriceListPublished):
        terms = {"markup_ppm": event.markup_ppm, "effective_from_us": event.effective_from_us}
        return {alias: msgspec.to_builtins(price) | terms for alias, price in event.entries.items()}
    own = _SUBJECTS[event.TOPIC.partition(".")[0]][1]
    fields = msgspec.to_builtins(event).items()
    said = {name: value for name, value in fields if name not in LEFT_OUT and name != own}
    return said | _SETS.get(type(event), {})


def _json(state: _State) -> str:
    return msgspec.json.encode(state, order="sorted").decode()


_CONDITIONS: Final = {
    "actor": "actor = %s",
    "topic": "topic = %s",
    "subject_kind": "subject_kind = %s",
    "subject": "subject = %s",
    "from_us": "occurred_us >= %s",
    "until_us": "occurred_us < %s",
}


class AuditReader:
    """The questions: implements `application.reports.audit_log.AuditQueries`."""

    subject_kinds: ClassVar[tuple[str, ...]] = tuple(
        sorted({kind for kind, _ in _SUBJECTS.values()} | {"prices"})
    )
    topics: ClassVar[Mapping[str, str]] = {
        topic: _SUBJECTS.get(topic.partition(".")[0], _PRICES)[0]
        for topic in sorted(kind.TOPIC for kind in ACTS)
    }

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def acts(self, wanted: ActFilter, *, before_position: int | None = None, limit: int = 100) -> ActPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        conditions, values = _where(wanted)
        if before_position is not None:
            conditions.append("position < %s")
            values.append(before_position)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        statement = f"SELECT * FROM audit_log{where} ORDER BY position DESC LIMIT %s"  # noqa: S608  # our names
        with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as rows:
            found = [_act(row) for row in rows.execute(statement, [*values, size + 1])]
        return ActPage(
            items=tuple(found[:size]), next_before=found[size - 1].position if len(found) > size else None
        )


def _where(wanted: ActFilter) -> tuple[list[str], list[object]]:
    fields = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
    values = [clean(value) if isinstance(value, str) else value for value in fields.values()]
    return [_CONDITIONS[name] for name in fields], values


def _act(row: dict[str, Any]) -> Act:
    before, after = (msgspec.json.decode(row.pop(name)) for name in ("before", "after"))
    return Act(before=before, after=after, **row)
