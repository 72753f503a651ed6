"""The table `mail_outbox`. What a mail says and to whom is sealed with the key of its subject, and gone once it was sent."""

from typing import Any, Final
from uuid import UUID

import msgspec

from adapters.vault.session import Pool, transaction
from application.mail.letters import template_of
from application.mail.outbox import Claimed, Mail, MailPage, MailState, QueuedMail
from application.privacy import PersonalData
from application.queries import PAGE_ROWS_MAX, clean
from application.vault import VaultDamaged
from domain.privacy import Sealed

_FIND: Final = """
    SELECT mail_id, template, locale, subject_id, state, reason, attempts, queued_us, next_us, sent_us
    FROM mail_outbox WHERE mail_id = %s"""
_PAGE: Final = """
    SELECT mail_id, template, locale, subject_id, state, reason, attempts, queued_us, next_us, sent_us
    FROM mail_outbox
    WHERE (%(state)s::text IS NULL OR state = %(state)s)
        AND (%(us)s::bigint IS NULL OR (queued_us, mail_id) < (%(us)s::bigint, %(id)s::uuid))
    ORDER BY queued_us DESC, mail_id DESC LIMIT %(limit)s"""
_PUT: Final = """
    INSERT INTO mail_outbox (mail_id, template, locale, subject_id, key_id, ciphertext, queued_us, next_us, expires_us)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (mail_id) DO NOTHING"""
_CLAIM: Final = """
    UPDATE mail_outbox AS row
    SET attempts = row.attempts + 1, claims = row.claims + 1, next_us = %(now)s + %(rest)s
    FROM (
        SELECT mail_id, state FROM mail_outbox WHERE state IN ('waiting', 'handing_over') AND next_us <= %(now)s
        ORDER BY next_us, mail_id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE row.mail_id = due.mail_id
    RETURNING row.mail_id, row.claims, row.attempts, row.queued_us, row.expires_us, due.state = 'handing_over'"""
_OPEN: Final = "SELECT subject_id, key_id, ciphertext FROM mail_outbox WHERE mail_id = %s"
_HAND_OVER: Final = """
    UPDATE mail_outbox SET state = 'handing_over', next_us = %s
    WHERE mail_id = %s AND claims = %s AND state IN ('waiting', 'handing_over')"""
_POSTPONE: Final = """
    UPDATE mail_outbox SET state = 'waiting', next_us = %s, reason = %s
    WHERE mail_id = %s AND claims = %s AND state IN ('waiting', 'handing_over')"""
_SETTLE: Final = """
    UPDATE mail_outbox SET state = %(state)s, reason = %(reason)s, next_us = %(now)s,
        sent_us = CASE WHEN %(state)s = 'sent' THEN %(now)s ELSE sent_us END,
        ciphertext = CASE WHEN %(state)s = 'parked' THEN ciphertext END
    WHERE mail_id = %(mail)s AND claims = %(claim)s AND state IN ('waiting', 'handing_over')"""
_RETRY: Final = """
    UPDATE mail_outbox SET state = 'waiting', next_us = %s, attempts = 0, claims = claims + 1, reason = ''
    WHERE mail_id = %s AND state = 'parked'"""
_DISCARD: Final = """
    UPDATE mail_outbox SET state = 'discarded', next_us = %s, reason = %s, claims = claims + 1, ciphertext = NULL
    WHERE mail_id = %s AND state IN ('waiting', 'parked')"""
_PURGE: Final = """
    DELETE FROM mail_outbox WHERE mail_id IN (
        SELECT mail_id FROM mail_outbox
        WHERE queued_us < %(before)s AND (state IN ('sent', 'discarded') OR expires_us < %(before)s)
        ORDER BY queued_us LIMIT %(rows)s FOR UPDATE SKIP LOCKED)"""
_US_MAX: Final = 2**63 - 1
_decoder: Final = msgspec.json.Decoder(Mail)


class PostgresOutbox:
    """See `application.mail.outbox.Outbox`. The pool belongs to the caller."""

    def __init__(self, pool: Pool, personal: PersonalData) -> None:
        self._pool, self._personal = pool, personal

    def put(self, mail: Mail, *, now_us: int) -> bool:
        sealed = self._personal.seal(mail.subject_id, msgspec.json.encode(mail), place=_place(mail.mail_id))
        values = (mail.mail_id, template_of(mail.letter), mail.locale, mail.subject_id)
        content = (sealed.key_id, sealed.ciphertext)
        return self._change(_PUT, (*values, *content, now_us, now_us, mail.expires_us))

    def find(self, mail_id: UUID) -> QueuedMail | None:
        rows = self._rows(_FIND, (mail_id,))
        return rows[0] if rows else None

    def page(
        self, *, state: MailState | None = None, before: str | None = None, limit: int = 100
    ) -> MailPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        queued_us, mail_id = _place_of(before)
        wanted = {"state": state, "us": queued_us, "id": mail_id, "limit": size + 1}
        found = self._rows(_PAGE, wanted)
        last = found[size - 1] if len(found) > size else None
        return MailPage(
            items=tuple(found[:size]),
            next_before=None if last is None else f"{last.queued_us}:{last.mail_id}",
        )

    def claim(self, *, now_us: int, rest_us: int) -> Claimed | None:
        with transaction(self._pool) as connection:
            row = connection.execute(_CLAIM, {"now": now_us, "rest": rest_us}).fetchone()
        names = ("mail_id", "claim", "attempts", "queued_us", "expires_us", "was_handing_over")
        return None if row is None else Claimed(**dict(zip(names, row, strict=True)))

    def open(self, claimed: Claimed) -> Mail | None:
        with transaction(self._pool) as connection:
            row = connection.execute(_OPEN, (claimed.mail_id,)).fetchone()
        if row is None or row[2] is None:
            return None
        sealed = Sealed(key_id=row[1], ciphertext=bytes(row[2]))
        opened = self._personal.open(row[0], sealed, place=_place(claimed.mail_id))
        try:
            return None if opened is None else _decoder.decode(opened)
        except msgspec.MsgspecError:
            raise VaultDamaged("a mail has no valid form") from None

    def hand_over(self, claimed: Claimed, *, now_us: int, rest_us: int) -> bool:
        return self._change(_HAND_OVER, (now_us + rest_us, claimed.mail_id, claimed.claim))

    def postpone(self, claimed: Claimed, *, until_us: int, reason: str) -> None:
        self._change(_POSTPONE, (until_us, clean(reason), claimed.mail_id, claimed.claim))

    def settle(self, claimed: Claimed, state: MailState, *, now_us: int, reason: str = "") -> None:
        values = {"state": state, "reason": clean(reason), "now": now_us}
        self._change(_SETTLE, {**values, "mail": claimed.mail_id, "claim": claimed.claim})

    def retry(self, mail_id: UUID, *, now_us: int) -> bool:
        return self._change(_RETRY, (now_us, mail_id))

    def discard(self, mail_id: UUID, *, now_us: int, reason: str) -> bool:
        return self._change(_DISCARD, (now_us, clean(reason), mail_id))

    def _change(self, statement: Any, values: Any) -> bool:
        with transaction(self._pool) as connection:
            return connection.execute(statement, values).rowcount == 1

    def _rows(self, statement: Any, values: Any) -> list[QueuedMail]:
        names = QueuedMail.__struct_fields__
        with transaction(self._pool) as connection:
            return [
                QueuedMail(**dict(zip(names, row, strict=True)))
                for row in connection.execute(statement, values)
            ]


def purge_mails(pool: Pool, *, before_us: int, batch_rows: int = 500, batches_max: int = 1_000) -> int:
    """Forget older mails that were sent or discarded, or came too late; returns how many.

    Raises:
        VaultUnavailable: the database went away; batches before that are gone.
    """
    forgotten = 0
    for _ in range(batches_max):
        with transaction(pool) as connection:
            rows = connection.execute(_PURGE, {"before": before_us, "rows": batch_rows}).rowcount
        forgotten += rows
        if rows < batch_rows:
            break
    return forgotten


def _place(mail_id: UUID) -> str:
    return f"mail_outbox.ciphertext|{mail_id}"


def _place_of(before: str | None) -> tuple[int | None, UUID | None]:
    """What `next_before` said. Anything else is the end of the list."""
    if before is None:
        return None, None
    time, _, mail_id = before.partition(":")
    try:
        return min(int(time), _US_MAX), UUID(mail_id)
    except ValueError:
        return -1, UUID(int=0)
