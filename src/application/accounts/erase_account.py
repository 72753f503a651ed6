"""Erase the personal data of an account: close it, have its card forgotten, destroy its key and its names, and certify that.

In this order, since a fact in the log must be true: when something fails in between, the same command finishes it.
"""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from application.accounts import close_account
from application.accounts.stream import decide_account
from application.auto_recharge import forget_method
from application.command import Command, Ports, stamp
from application.eventlog import RecordedEvent
from application.keys.of_account import key_ids_of
from domain import accounts
from domain.accounts import AccountPersonalDataErased
from domain.fact import Actor
from domain.operators import Permission
from domain.sealing.leaf import leaf
from domain.sealing.tree import leaf_hash
from domain.topics import REGISTRY

FORM: Final = "tokenok.erasure-certificate.v1"


class EraseAccount(Command, frozen=True, kw_only=True):
    """Erase whom the account belongs to. It cannot be undone, and the account is closed by it."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    reason: str


class ErasureCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What was destroyed and where the log says so. The same each time it is asked for, to the byte.

    `event` is the line of every export and a leaf of the sealed tree: an inclusion proof for `leaf_sha256` shows that
    the erasure is in the log, and that the log's bytes are what they were.
    """

    form: str
    account_id: UUID
    key_id: UUID | None  #: the destroyed key; none if nothing was ever sealed for the account
    erased_us: int
    actor: str
    reason: str
    position: int
    event: str
    leaf_sha256: str


def handle(command: EraseAccount, *, actor: Actor, ports: Ports) -> ErasureCertificate:
    """Erase it; doing it again destroys what a restored backup has brought back, and certifies the first time.

    Credit stays where it is, and requests under way end as they would have; give back what is to be given back before.

    Raises:
        NotFound: there is no such account.
        BadField: the reason is empty or cannot be shown.
        VaultUnavailable, LogUnavailable: it may be closed and erased already, and is not certified: command it again.
    """
    close = close_account.CloseAccount(account_id=command.account_id, reason=command.reason)
    close_account.handle(close, actor=actor, ports=ports)
    forget_method.handle(forget_method.ForgetMethod(account_id=command.account_id), actor=actor, ports=ports)
    key_id = ports.personal.erase(command.account_id, named=key_ids_of(ports.store, command.account_id))
    at = stamp(ports, actor)
    decide_account(
        ports.store,
        command.account_id,
        lambda account: accounts.note_erasure(account, key_id=key_id, reason=command.reason, stamp=at),
    )
    stored = ports.store.read_stream(command.account_id)
    return _certify(next(one for one in stored if one.topic == AccountPersonalDataErased.TOPIC))


def _certify(recorded: RecordedEvent) -> ErasureCertificate:
    fact = REGISTRY.decode(recorded.topic, recorded.state)
    assert isinstance(fact, AccountPersonalDataErased), "the topic says so"
    line = leaf(recorded)
    return ErasureCertificate(
        form=FORM,
        account_id=fact.account_id,
        key_id=fact.key_id,
        erased_us=fact.occurred_us,
        actor=fact.actor,
        reason=fact.reason,
        position=recorded.position,
        event=line.decode(),
        leaf_sha256=leaf_hash(line).hex(),
    )
