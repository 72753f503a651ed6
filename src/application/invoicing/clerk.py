"""Issues the documents that facts call for: an invoice for each credited order, a credit note for each refund and lost dispute, and an invoice
that takes a credit note back for each refund that came back after that was issued.

Each has an id that follows from its fact, so it is issued once, whoever runs this however often. What the read model calls due is only
where to look; the streams decide. Blocking.
"""

from typing import Final, Protocol
from uuid import UUID

import structlog

from application.command import Created, Ports
from application.documents.wording import texts
from application.eventlog import EventLogError
from application.i18n.locales import Locale, best_locale
from application.invoicing import issue_credit_note, issue_order_invoice, take_note_back
from application.invoicing.queries import DocumentQueries, DueDocument
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.streams import load_document
from application.members.stream import load_members
from domain.fact import SYSTEM
from domain.invoicing.automation import InvoicingSet
from domain.invoicing.document import RateTotal, existing
from domain.invoicing.rates import ExchangeRateMissing
from domain.invoicing.totals import left_of
from domain.members import MEMBER_PERMISSIONS
from domain.refusal import Refusal

_PAGE: Final = 100
_REST_S: Final = 60.0
_REST_S_MAX: Final = 3600.0
_RESTING_MAX: Final = 10_000

log = structlog.get_logger()


class Languages(Protocol):
    """What people have chosen. Blocking; raises `VaultUnavailable` when the database is away."""

    def locale_of(self, person_id: UUID) -> str | None: ...


class Clerk:
    """Not for several threads. Remembers what could not be issued, and lets it rest for a while."""

    def __init__(self, *, documents: DocumentQueries, languages: Languages, ports: Ports) -> None:
        self._documents, self._languages, self._ports = documents, languages, ports
        self._resting: dict[UUID, tuple[float, float]] = {}  #: until when, and for how long it was

    def issue_due(self) -> int:
        """Issue what is due and can be; how many there were. What cannot holds up nothing else.

        Raises:
            LogUnavailable, VaultError: go on later.
        """
        terms = load_invoicing(self._ports.store).current
        if terms is None or terms.seller_id is None:
            return 0
        issued, after = 0, 0
        while True:
            page = self._documents.due(from_us=terms.from_us, ready=True, after_position=after, limit=_PAGE)
            issued += sum(self._tried(one, terms, terms.seller_id) for one in page.items)
            if page.next_after is None:
                return issued
            after = page.next_after

    def _tried(self, due: DueDocument, terms: InvoicingSet, seller_id: UUID) -> bool:
        """Whether a document was issued now."""
        now_s = self._ports.clock.monotonic_s()
        until_s, rest_s = self._resting.get(due.document_id, (0.0, _REST_S / 2))
        if now_s < until_s:
            return False
        try:
            created = issue(due, terms, seller_id, languages=self._languages, ports=self._ports)
        except (Refusal, EventLogError) as error:
            if len(self._resting) < _RESTING_MAX:
                rest_s = min(2 * rest_s, _REST_S_MAX)
                self._resting[due.document_id] = (now_s + rest_s, rest_s)
            reason = error.code if isinstance(error, Refusal) else type(error).__name__
            missing = str(error) if isinstance(error, ExchangeRateMissing) else None
            log.warning(
                "document_not_issued",
                document_id=str(due.document_id),
                kind=due.kind,
                reason=reason,
                missing=missing,
            )
            return False
        self._resting.pop(due.document_id, None)
        return bool(created.done.events)


def issue(
    due: DueDocument, terms: InvoicingSet, seller_id: UUID, *, languages: Languages, ports: Ports
) -> Created:
    """Issue it; raises as the use case of its kind."""
    if due.kind == "credit_note":
        return issue_credit_note.handle(_credit_note(due, ports), actor=SYSTEM, ports=ports)
    if due.note_id is not None:
        return take_note_back.handle(_taken_back(due, due.note_id, ports), actor=SYSTEM, ports=ports)
    command = issue_order_invoice.IssueOrderInvoice(
        order_id=due.order_id,
        seller_id=seller_id,
        locale=_locale(due.account_id, terms, languages=languages, ports=ports),
    )
    return issue_order_invoice.handle(command, actor=SYSTEM, ports=ports)


def _credit_note(due: DueDocument, ports: Ports) -> issue_credit_note.IssueCreditNote:
    """With the tax that the books have of it, as far as the invoice has so much left; else in proportion."""
    invoice = existing(load_document(ports.store, due.invoice_id))
    _ = texts(best_locale(invoice.issued.locale)).gettext
    reasons = {
        "refund": _("Refund of your payment"),
        "set_off": _("Unspent credit that was taken back and is not to be paid"),
        "dispute": _("Payment taken back by your bank"),
    }
    rates = tuple(
        RateTotal(
            category=one.category,
            rate_ppm=one.rate_ppm,
            net_minor=due.tax.net_minor,
            tax_minor=due.tax.tax_minor,
        )
        for one in left_of(invoice)
        if one.rate_ppm == due.tax.rate_ppm
        and one.net_minor >= due.tax.net_minor
        and one.tax_minor >= due.tax.tax_minor
    )
    return issue_credit_note.IssueCreditNote(
        invoice_id=due.invoice_id,
        reason=reasons.get(due.cause, due.cause),
        amount_minor=None if rates else due.amount_minor,
        rates=rates[:1] or None,
        credit_note_id=due.document_id,
    )


def _taken_back(due: DueDocument, note_id: UUID, ports: Ports) -> take_note_back.TakeNoteBack:
    note = existing(load_document(ports.store, note_id)).issued
    _ = texts(best_locale(note.locale)).gettext
    return take_note_back.TakeNoteBack(
        credit_note_id=note_id, reason=_("The refund could not be paid out"), invoice_id=due.document_id
    )


def _locale(account_id: UUID, terms: InvoicingSet, *, languages: Languages, ports: Ports) -> Locale:
    """What the first of those whom bills concern has chosen."""
    members = load_members(ports.store, account_id).members.values()
    for one in sorted(members, key=lambda member: (member.since_us, member.person_id)):
        if "billing" in MEMBER_PERMISSIONS[one.role]:
            chosen = languages.locale_of(one.person_id)
            if chosen is not None:
                return best_locale(chosen)
    return best_locale(terms.locale)
