"""What the gateway does for a request with an idempotency key: look, answer again, claim, record."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import structlog

from application.eventlog import EventLogError
from application.gateway.client import Client
from application.gateway.refused import Refused, ledger_unavailable
from application.gateway.settlement import Settlement
from application.idempotent_requests.claims import Claim, Claims
from application.idempotent_requests.kept_answers import KeptAnswer, KeptAnswers
from application.idempotent_requests.keyed import KEY_CHARS_MAX, KeyedRequest, is_usable, keyed_request
from application.idempotent_requests.recording import Buffers, RecordingClient
from application.ledger.live_lease import Hold
from application.vault import VaultError
from domain.ledger.idempotency import (
    IdempotencyInProgress,
    IdempotencyKey,
    IdempotencyKeyReused,
    Replay,
    charged_for,
)
from domain.privacy import SubjectErased

REPLAYED: Final = (b"idempotent-replayed", b"true")
SERVED_AS: Final = b"x-tokenok-served-as"
"""Of a refusal: the id of the request that was served and charged for the key."""
IN_PROGRESS_S: Final = 1.0

_Result = TypeVar("_Result")

log = structlog.get_logger()


class Unclaimed:
    """A key that was free when it was looked at."""

    __slots__ = ("key", "request")

    def __init__(self, request: KeyedRequest, key: IdempotencyKey) -> None:
        self.request = request
        self.key = key


class Repeats:
    """One a process. Belongs to the event loop; what waits for the database does so in `threads`, which nobody else needs."""

    def __init__(self, claims: Claims, answers: KeptAnswers, buffers: Buffers, *, threads: Executor) -> None:
        self._claims = claims
        self._answers = answers
        self._buffers = buffers
        self._threads = threads

    async def look(self, key: bytes, *, account_id: UUID, endpoint: str, body: bytes) -> Unclaimed | Replay:
        """Whether this request is to be served, or what was charged for it before.

        Raises:
            Refused: the key cannot be used, came with another body, or is being served.
        """
        if not is_usable(key):
            raise Refused(
                "invalid_value",
                f"An Idempotency-Key has 1 to {KEY_CHARS_MAX} printable ASCII characters, and comes once.",
                param="Idempotency-Key",
            )
        request = keyed_request(key, account_id=account_id, endpoint=endpoint, body=body)
        try:
            found = await self._claims.look(request)
            return charged_for(found, body_sha256=request.body_sha256) or Unclaimed(request, found)
        except IdempotencyKeyReused:
            raise _reused() from None
        except IdempotencyInProgress:
            raise _in_progress() from None
        except EventLogError:
            raise ledger_unavailable() from None

    async def answer_again(self, replay: Replay, client: Client, *, account_id: UUID) -> None:
        """Send the kept answer: a document whole, the events of a stream at once.

        Raises:
            Refused: it is not kept; the message says under which id it was served and charged.
        """
        try:
            answer = await self._in_thread(
                partial(self._answers.find, account_id=account_id, request_id=replay.request_id)
            )
        except VaultError as error:
            log.warning("answer_not_read", request_id=str(replay.request_id), error=type(error).__name__)
            raise _unreadable() from None
        if answer is None:
            raise _not_kept(replay.request_id)
        await client.start(answer.status, [*answer.headers, REPLAYED, _length(answer)])
        await client.end(answer.body)

    async def begin(
        self, unclaimed: Unclaimed, hold: Hold, settlement: Settlement, client: Client
    ) -> RecordingClient:
        """Claim the key for a request that holds credit; its answer is written down from here on.

        Raises:
            Refused: another request was faster, or the log is away; the hold was given back.
        """
        try:
            claim = settlement.claim = await self._claim(unclaimed, hold)
        except BaseException as error:
            settlement.release(error.code if isinstance(error, Refused) else "internal_error", ())
            raise
        return RecordingClient(client, self._buffers, partial(self._keep, hold), until_free=claim.until_free)

    async def _claim(self, unclaimed: Unclaimed, hold: Hold) -> Claim:
        try:
            return await self._claims.claim(
                unclaimed.request,
                unclaimed.key,
                request_id=hold.admission.request_id,
                lease_id=hold.live.lease.lease_id,
            )
        except IdempotencyInProgress:
            raise _in_progress() from None
        except EventLogError:
            raise ledger_unavailable() from None

    async def _keep(self, hold: Hold, answer: KeptAnswer) -> None:
        account_id, request_id = hold.admission.account_id, hold.admission.request_id
        try:
            await self._in_thread(
                partial(self._answers.keep, answer, account_id=account_id, request_id=request_id)
            )
        except (VaultError, SubjectErased) as error:  # it was charged and is owed: the client gets it
            log.warning("answer_not_kept", request_id=str(request_id), error=type(error).__name__)

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _length(answer: KeptAnswer) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % len(answer.body))


def _reused() -> Refused:
    return Refused(
        "idempotency_key_reused",
        "This Idempotency-Key came with another request before. Nothing was done.",
        param="Idempotency-Key",
    )


def _in_progress() -> Refused:
    return Refused(
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is being served. Nothing was done; try again later.",
        param="Idempotency-Key",
        retry_after_s=IN_PROGRESS_S,
    )


def _not_kept(request_id: UUID) -> Refused:
    return Refused(
        "idempotency_answer_not_kept",
        f"This request was served and charged before, as {request_id}. Its answer is not kept. Nothing was done.",
        param="Idempotency-Key",
        headers=[(SERVED_AS, str(request_id).encode())],
    )


def _unreadable() -> Refused:
    return Refused(
        "ledger_unavailable",
        "This request was served and charged before, and its answer cannot be read at the moment. Nothing was done.",
        retry_after_s=1,
    )
