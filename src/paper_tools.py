"""Composition of what writes to people: files of documents, the clerk, and mail. For entry points, as `bootstrap`."""

from adapters.documents.attaching import attach
from adapters.documents.kept import PostgresKeptFiles
from adapters.documents.printing import ChildPrinter
from adapters.mail.bookmark import PostgresBookmark
from adapters.mail.configured import configured
from adapters.mail.mime import parse_letterhead, write_mail
from adapters.mail.preferences import PostgresPreferences
from application.command import Ports
from application.documents.page import Printer
from application.documents.statement_files import StatementFiles
from application.invoicing.clerk import Clerk
from application.invoicing.files import DocumentFiles
from application.invoicing.order_receipts import OrderReceipts
from application.mail.deliver import Delivery
from application.mail.enclosures import Enclosures
from application.mail.follow import MailFollower
from application.mail.occasions import Writer
from application.mail.recipients import Addressees
from application.mail.transport import Transport
from application.sealing.reading import SealedLog
from bootstrap import Pool
from projections.document_reader import DocumentReader
from projections.statement_reader import StatementReader
from settings import BadSetting, Settings


def document_files(ports: Ports, pool: Pool, printer: Printer) -> DocumentFiles:
    """The files of invoices and credit notes, printed where nobody has yet."""
    return DocumentFiles(
        store=ports.store,
        personal=ports.personal,
        printer=printer,
        attach=attach,
        kept=PostgresKeptFiles(pool),
        clock=ports.clock,
    )


def order_receipts(ports: Ports, files: DocumentFiles, printer: Printer) -> OrderReceipts:
    """Receipts for orders, printed when they are asked for."""
    return OrderReceipts(store=ports.store, names=ports.names, printer=printer, files=files)


def statement_files(ports: Ports, pool: Pool, printer: Printer, sealed: SealedLog | None) -> StatementFiles:
    """Statements as files, with their seals where the log is sealed."""
    return StatementFiles(
        statements=StatementReader(pool),
        store=ports.store,
        personal=ports.personal,
        names=ports.names,
        printer=printer,
        roots=sealed,
    )


def document_clerk(ports: Ports, pool: Pool) -> Clerk:
    """What issues the documents that facts call for."""
    return Clerk(documents=DocumentReader(pool), languages=PostgresPreferences(pool), ports=ports)


def mail_transport(settings: Settings) -> Transport | None:
    """How mails leave; none where mail is off.

    Raises:
        BadSetting: a setting cannot be used.
    """
    try:
        parse_letterhead(settings.mail_from)
        return configured(
            smtp_url=settings.smtp_url, mail_from=settings.mail_from, mail_dir=settings.mail_dir
        )
    except ValueError as error:
        raise BadSetting(str(error)) from None


def mail_follower(settings: Settings, ports: Ports, pool: Pool) -> MailFollower:
    """What puts mails about facts into the outbox."""
    addressees = Addressees(store=ports.store, personal=ports.personal, preferences=PostgresPreferences(pool))
    return MailFollower(
        store=ports.store,
        bookmark=PostgresBookmark(pool),
        writer=Writer(addressees=addressees, console_url=settings.console_url.rstrip("/")),
        outbox=ports.outbox,
        clock=ports.clock,
    )


def mail_delivery(settings: Settings, ports: Ports, pool: Pool, transport: Transport) -> Delivery:
    """What takes mails out of the outbox."""
    printer = ChildPrinter()
    files = document_files(ports, pool, printer)
    return Delivery(
        outbox=ports.outbox,
        transport=transport,
        letterhead=parse_letterhead(settings.mail_from),
        write=write_mail,
        enclose=Enclosures(files=files, receipts=order_receipts(ports, files, printer)),
        clock=ports.clock,
    )
