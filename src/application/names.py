"""Port to the names of accounts, operators and keys: personal data, kept beside the log so that it can be erased."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class NameBook(Protocol):
    """Blocking; safe to use from threads. Names have passed `domain.text.printable`."""

    def put(self, subject_id: UUID, name: str) -> None:
        """Set or replace the name of an account, an operator or a key.

        Raises:
            SubjectErased: they have been erased (`application.privacy`); no name is kept of them again.
        """
        ...

    def get(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The names that are known; who was erased or never named is left out."""
        ...

    def like(self, text: str, *, limit: int) -> list[UUID]:
        """Whose name holds a text, in whatever case; at most `limit`, by id. Nobody's holds nothing."""
        ...
