"""The stable codes of errors, and the one table from codes to statuses. Knows no web framework: the command line asks too."""

from typing import Final

from application.checkout.ports import ProviderRefused, ProviderUnavailable
from application.documents.page import PrintingFailed
from application.eventlog import EventLogError, LogUnavailable, OutcomeUnknown, UnstorableEvent
from application.projections import ReadModelOutdated
from application.vault import VaultError, VaultUnavailable
from domain.refusal import Refusal

INTERNAL_ERROR: Final = "internal_error"
RULE_SAID_NO: Final = 422
STATUSES: Final = {
    "invalid_request": 400,
    "invalid_value": 400,
    "amount_out_of_range": 400,
    "idempotency_key_required": 400,
    "invalid_token": 401,
    "not_permitted": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "idempotency_in_progress": 409,
    "request_too_large": 413,
    "too_many_attempts": 429,
    "too_many_invitations": 429,
    "too_many_orders": 429,
    "rate_limit_exceeded": 429,
    "not_sealed": 409,
    "already_exists": RULE_SAID_NO,
    "wrong_state": RULE_SAID_NO,
    "unstorable": RULE_SAID_NO,
    "internal_error": 500,
    "seal_broken": 500,
    "vault_error": 500,
    "vault_unavailable": 503,
    "log_unavailable": 503,
    "outcome_unknown": 503,
    "contended": 503,
    "books_behind": 503,
    "printing_failed": 503,
    "database_unavailable": 503,
    "read_model_outdated": 503,
    "sealing_off": 503,
    "payment_provider_unavailable": 503,
    "payment_provider_refused": RULE_SAID_NO,
    "bad_notice": 400,
}
#: Errors that are no refusals; the first that fits is taken.
_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ReadModelOutdated, ReadModelOutdated.code),
    (OutcomeUnknown, "outcome_unknown"),
    (LogUnavailable, "log_unavailable"),
    (UnstorableEvent, "unstorable"),
    (EventLogError, "contended"),
    (VaultUnavailable, "vault_unavailable"),
    (VaultError, "vault_error"),
    (PrintingFailed, "printing_failed"),
    (ProviderUnavailable, ProviderUnavailable.code),
    (ProviderRefused, ProviderRefused.code),
)


class BadRequest(Exception):
    """The request cannot be read; nothing was done. `code` is in the table."""

    def __init__(self, message: str, *, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.code = code


def code_of(error: Exception) -> str:
    """The stable code of an error; `internal_error` for one that nobody foresaw."""
    if isinstance(error, Refusal | BadRequest):
        return error.code
    return next((code for kind, code in _CODES if isinstance(error, kind)), INTERNAL_ERROR)


def status_of(code: str) -> int:
    """The status of a code; one that is not in the table is a rule's."""
    return STATUSES.get(code, RULE_SAID_NO)
