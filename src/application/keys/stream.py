"""Where key decisions are made, and how a secret is made sure to belong to one key only."""

from collections.abc import Callable, Sequence
from typing import ClassVar
from uuid import UUID

import msgspec

from application.command import Done, Ports, execute, new_event
from application.eventlog import NewEvent, VersionConflict
from domain.fact import Stamp
from domain.keys import key as rules
from domain.keys.events import ApiKeyIssued, ApiKeyRotated, KeyEvent
from domain.keys.key import ApiKey
from domain.keys.secret import ENTROPY_BYTES, KEY_PREFIX, SecretRecord, new_secret, prefix_chars
from domain.refusal import Refusal
from domain.secret import Secret


class SecretTaken(Refusal):
    """This secret belongs, or once belonged, to a key here; nothing was stored."""

    code: ClassVar[str] = "secret_taken"


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its secret, which is shown this one time and kept nowhere."""

    key_id: UUID
    secret: Secret
    prefix: str
    done: Done


def fresh_secret(ports: Ports, *, prefix: str = KEY_PREFIX) -> tuple[Secret, SecretRecord]:
    """A new secret and what may be stored of it."""
    secret = new_secret(ports.ids.entropy(ENTROPY_BYTES), prefix=prefix)
    return secret, record_of(ports, secret)


def record_of(ports: Ports, secret: Secret) -> SecretRecord:
    """What may be stored of a secret."""
    return ports.hasher.record(secret, prefix_chars=prefix_chars(secret))


def decide_key(
    ports: Ports, key_id: UUID, decide: Callable[[ApiKey | None], list[KeyEvent]], *, at: Stamp
) -> Done:
    """Run a decision about one key; a secret that it brings is claimed in the same append.

    Raises:
        SecretTaken: another key has, or had, this secret.
        Others as `execute`.
    """

    def claims(events: Sequence[KeyEvent]) -> list[NewEvent]:
        return [
            new_event(rules.secret_stream(event.secret_hash), 1, rules.claim(key_id=key_id, stamp=at))
            for event in events
            if isinstance(event, ApiKeyIssued | ApiKeyRotated)
        ]

    try:
        return execute(ports.store, key_id, None, rules.evolve, decide, beside=claims)
    except VersionConflict:
        raise SecretTaken("this secret is in use") from None
