"""The management keys as a directory knows them: by what opens them, and by account."""

from uuid import UUID

import msgspec

from domain import management
from domain.fact import Actor
from domain.keys.secret import SecretHasher
from domain.management import InvalidManagementKey, ManagementEvent, ManagementKey
from domain.members import MemberPermission, Members


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for an account, and what they may do in it at this moment."""

    account_id: UUID
    permissions: frozenset[MemberPermission]
    actor: Actor


class KeyRing:
    """Follows the log as its directory does, which owns it."""

    def __init__(self, hasher: SecretHasher) -> None:
        self.keys: dict[UUID, ManagementKey] = {}  #: revoked ones too
        self._hasher = hasher
        self._by_hash: dict[
            bytes, tuple[UUID, int | None]
        ] = {}  #: the key, and the end of this secret's overlap

    def on_event(self, event: ManagementEvent) -> None:
        """Fold one fact, in log order."""
        before = self.keys.get(event.key_id)
        after = management.evolve(before, event)
        self.keys[event.key_id] = after
        for secret in () if before is None else before.secrets:
            self._by_hash.pop(bytes.fromhex(secret.secret_hash), None)
        for secret in after.secrets:
            self._by_hash[bytes.fromhex(secret.secret_hash)] = (after.key_id, secret.valid_until_us)

    def of_account(self, account_id: UUID) -> dict[UUID, ManagementKey]:
        return {key_id: one for key_id, one in self.keys.items() if one.account_id == account_id}

    def open(self, secret: bytes, *, now_us: int) -> ManagementKey:
        """The key that a secret opens.

        Raises:
            InvalidManagementKey: none, or not any more.
        """
        key_id, secret_until_us = self._by_hash.get(self._hasher.digest(secret), (None, None))
        if key_id is None:
            raise InvalidManagementKey
        key = self.keys[key_id]
        for until_us in (secret_until_us, key.expires_us):
            if until_us is not None and now_us >= until_us:
                raise InvalidManagementKey
        return key


def customer_by_key(key: ManagementKey, members: Members) -> Customer:
    """What the key may do now; raises as `ManagementKey.permissions`."""
    return Customer(
        account_id=key.account_id,
        permissions=key.permissions(members),
        actor=Actor("management-key", key.key_id),
    )
