"""Why a document that is due is not issued: what issuing it at this moment comes to. Nothing is stored, and no number is taken."""

from typing import Any, NoReturn, cast
from uuid import UUID

from msgspec.structs import replace

from application.command import Ports
from application.eventlog import EventLogError, EventStore
from application.invoicing.clerk import issue
from application.invoicing.queries import DueDocument
from application.invoicing.set_invoicing import load_invoicing
from domain.refusal import Refusal


def hindrance_of(due: DueDocument, *, ports: Ports) -> Refusal | None:
    """The refusal that it meets; none if nothing is in the way now, or nobody issues documents.

    Raises:
        VaultError, LogUnavailable: nobody can tell now.
    """
    terms = load_invoicing(ports.store).current
    if terms is None or terms.seller_id is None:
        return None
    trial = replace(ports, store=cast("EventStore", _Trial(ports.store)))
    try:
        issue(due, terms, terms.seller_id, languages=_NoChoice(), ports=trial)
    except _WouldBeStored:
        return None
    except Refusal as error:
        return error
    return None  # it is there already


class _WouldBeStored(EventLogError):
    """All that could refuse it has agreed."""


class _Trial:
    """A log that can be read, and is never written."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, *_: object, **__: object) -> NoReturn:
        raise _WouldBeStored


class _NoChoice:
    """The language of a document keeps nobody from issuing it."""

    def locale_of(self, person_id: UUID) -> str | None:  # noqa: ARG002  # the port's
        return None
