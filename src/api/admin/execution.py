"""Runs one command for an operator: decodes, claims the idempotency key, does it, keeps the answer. Blocking."""

from typing import Final
from uuid import UUID, uuid5

import msgspec

from api.admin.answers import answer_of
from api.admin.codes import BadRequest
from api.admin.tables.entry import Entry
from application.command import Command, Ports, decode_hook
from application.eventlog import OutcomeUnknown
from application.idempotency import Answer, IdempotencyStore
from domain.fact import Actor

CREATED: Final = 201
DONE: Final = 200
KEY_CHARS_MAX: Final = 255
_MONEY: Final = frozenset({"lot_id", "adjustment_id"})  #: ids of what must not happen twice
_IDS: Final = UUID("6d4c1f0e-7c1b-5f5e-9a0e-2f6d9b1c8e57")


def decode(entry: Entry, body: bytes) -> Command:
    """The command that a body holds.

    Raises:
        BadRequest: it holds none; the message names the place and repeats no value.
    """
    try:
        return msgspec.json.decode(body, type=entry.command, dec_hook=decode_hook)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = str(error) if isinstance(error, msgspec.ValidationError) else "the body is no valid JSON"
        raise BadRequest(detail) from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None


def run(
    entry: Entry, body: bytes, *, key: str | None, actor: Actor, ports: Ports, idempotency: IdempotencyStore
) -> Answer:
    """Do it once per idempotency key.

    The id of something new follows from the key: if an answer got lost, and the claim with it, the same request
    finds its thing there already and makes no second one.

    Raises:
        BadRequest, Refusal: nothing was done, and the key may be used again.
        VaultError, EventLogError: likewise, but after `OutcomeUnknown` the key is free only after a minute.
    """
    command = decode(entry, body)
    if key is None:
        if entry.new_id in _MONEY and getattr(command, entry.new_id) is None:
            raise BadRequest(f"give an Idempotency-Key or a {entry.new_id}", code="idempotency_key_required")
        return _answer(entry, command, actor=actor, ports=ports)
    if not 0 < len(key) <= KEY_CHARS_MAX or not all("!" <= character <= "~" for character in key):
        raise BadRequest(f"an Idempotency-Key has 1 to {KEY_CHARS_MAX} printable ASCII characters")
    if entry.new_id and getattr(command, entry.new_id) is None:
        new_id = uuid5(_IDS, f"{actor.label}|{entry.path}|{key}")
        command = msgspec.structs.replace(command, **{entry.new_id: new_id})
    # A keyed hash: some inputs hold a secret, and the table is no place to guess it from.
    digest = ports.hasher.digest(entry.path.encode() + b"\0" + body)
    earlier = idempotency.begin(actor=actor.label, key=key, input_sha256=digest)
    if earlier is not None:
        return earlier
    try:
        answer = _answer(entry, command, actor=actor, ports=ports)
    except OutcomeUnknown:
        raise  # it may be done: nobody may take the key for another try at once
    except Exception:
        idempotency.abandon(actor=actor.label, key=key)
        raise
    idempotency.finish(actor=actor.label, key=key, answer=answer)
    return answer


def _answer(entry: Entry, command: Command, *, actor: Actor, ports: Ports) -> Answer:
    result = answer_of(entry.handle(command, actor=actor, ports=ports))
    return Answer(CREATED if entry.new_id else DONE, msgspec.json.encode(result))
