"""Port to the vault, where the secrets that we must be able to read back are kept sealed.

What is sealed for one place opens in no other: provider, credential and version are bound to it.
"""

from typing import Protocol
from uuid import UUID

import msgspec

from domain.catalogue.credential import SealedSecret
from domain.secret import Secret


class VaultError(Exception):
    """Base of what the vault raises. No message ever holds a secret or a key."""


class VaultDamaged(VaultError):
    """A sealed secret does not open: it was changed, moved between rows, or its master key is another one."""


class MasterKeyMissing(VaultError):
    """A secret is sealed with a master key that this process was not given."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"master key {key_id} is not among the configured ones")
        self.key_id = key_id


class SecretMissing(VaultError):
    """The vault has no such secret."""


class VaultUnavailable(VaultError):
    """The database cannot be reached; nothing was stored."""


class SecretRef(msgspec.Struct, frozen=True, kw_only=True):
    """Names one version of one credential's secret."""

    provider_id: UUID
    credential_id: UUID
    secret_version: int


class KeyRotation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation of the master key did."""

    master_key_id: str  #: everything is sealed with this one now
    resealed: int


class Vault(Protocol):
    """Blocking; safe to use from threads. Every method raises `VaultUnavailable` when the database is away."""

    def store(self, *, provider_id: UUID, credential_id: UUID, secret: Secret) -> SealedSecret:
        """Seal a secret with the first master key, as the credential's next version."""
        ...

    def open(self, ref: SecretRef) -> Secret:
        """Read a secret back.

        Raises:
            SecretMissing, MasterKeyMissing, VaultDamaged: see there.
        """
        ...

    def forget(self, credential_id: UUID, *, before_version: int | None = None) -> int:
        """Delete a credential's secrets (only the versions below `before_version`); returns how many."""
        ...

    def root_secret(self) -> bytes:
        """32 random bytes, made at first use and sealed like all the rest; peppers are derived from them.

        They outlive every rotation of the master key, so API keys do not die with an old one.
        """
        ...

    def rotate_master_key(self, *, batch_rows: int = 200) -> KeyRotation:
        """Seal with the first master key whatever is sealed with another one, a bounded batch at a time.

        Safe while others read and store; may be stopped and run again.

        Raises:
            MasterKeyMissing, VaultDamaged: a row does not open; rows before it are done, it is left as it was.
        """
        ...
