"""Port to personal data: seals it for events, opens it for people, and erases it for good.

A subject is an account, or whatever else has data that must be erased apart from the rest: what a law wants kept
longer, such as the buyer on an invoice, is a subject with an id of its own.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.privacy import Sealed


class PersonalData(Protocol):
    """Blocking; safe to use from threads. Every method raises `VaultUnavailable` when the database is away."""

    def seal(self, subject_id: UUID, plaintext: bytes, *, place: str) -> Sealed:
        """Seal something about a subject for one place, such as the topic of the event that will carry it.

        The subject's key is made at first use.

        Raises:
            SubjectErased: its key was destroyed.
            MasterKeyMissing, VaultDamaged: its key does not open.
        """
        ...

    def open(self, subject_id: UUID, sealed: Sealed, *, place: str) -> bytes | None:
        """Read it back; none once the subject was erased.

        Raises:
            MasterKeyMissing: the subject's key does not open.
            VaultDamaged: likewise, or it was sealed for another subject or place, or was changed.
        """
        ...

    def erase(self, subject_id: UUID, *, named: Sequence[UUID] = ()) -> UUID | None:
        """Destroy the subject's key, and forget its name and those of `named`, all or nothing and for good.

        Returns the id of the destroyed key, the same one each time; none if nothing was ever sealed for the subject.
        """
        ...
