"""Make a batch of codes that customers redeem for credit."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import msgspec

from application.command import Command, Done, Ports, execute, new_event, stamp
from application.eventlog import NewEvent
from domain.fact import Actor
from domain.operators import Permission
from domain.promotions import batch as rules
from domain.promotions.batch import batch_stream, code_stream, codes_of
from domain.promotions.codes import CODE_BYTES, hash_of, new_code
from domain.promotions.events import BatchEvent, CodeBatchIssued
from domain.secret import Secret


class IssueCodes(Command, frozen=True, kw_only=True):
    """`count` codes of `amount_nano` each. Promotional credit, which ends `credit_days` after its redemption."""

    permission: ClassVar[Permission] = "credit"

    count: int
    amount_nano: int
    note: str
    per_account: int = 1
    redeem_until_us: int | None = None
    credit_days: int | None = None
    models: tuple[str, ...] = ()
    batch_id: UUID | None = None


class IssuedCodes(msgspec.Struct, frozen=True, kw_only=True):
    """The codes, which are shown this one time and kept nowhere."""

    batch_id: UUID
    codes: tuple[Secret, ...]
    done: Done


def handle(command: IssueCodes, *, actor: Actor, ports: Ports) -> IssuedCodes:
    """Make them; raises as `batch.issue`."""
    batch_id = command.batch_id or ports.ids.new()
    at = stamp(ports, actor)
    wanted = CodeBatchIssued(
        batch_id=batch_id,
        count=command.count,
        amount_nano=command.amount_nano,
        per_account=command.per_account,
        redeem_until_us=command.redeem_until_us,
        credit_days=command.credit_days,
        aliases=command.models,
        note=command.note,
        occurred_us=at.now_us,
        actor=at.actor,
    )
    codes: tuple[Secret, ...] = ()

    def issued(_decided: Sequence[BatchEvent]) -> list[NewEvent]:
        nonlocal codes
        codes = tuple(new_code(ports.ids.entropy(CODE_BYTES)) for _ in range(command.count))
        facts = codes_of(batch_id, count=command.count, stamp=at)
        return [
            new_event(code_stream(hash_of(code, ports.hasher)), 1, fact)
            for code, fact in zip(codes, facts, strict=True)
        ]

    done = execute(
        ports.store,
        batch_stream(batch_id),
        None,
        rules.evolve,
        lambda batch: rules.issue(batch, wanted=wanted, stamp=at),
        beside=issued,
    )
    return IssuedCodes(batch_id=batch_id, codes=codes, done=done)
