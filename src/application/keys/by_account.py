"""Which API keys an account has, by id: so that a page of them costs what is on it, however many there are in all."""

from bisect import bisect_right, insort
from uuid import UUID


class KeysByAccount:
    """Ids only, revoked ones too. Ids of new keys grow with time, so mostly they are put at the end."""

    def __init__(self) -> None:
        self._ids: dict[UUID, list[UUID]] = {}

    def add(self, account_id: UUID, key_id: UUID) -> None:
        """A key that was not there before."""
        insort(self._ids.setdefault(account_id, []), key_id)

    def page(self, account_id: UUID, *, after: UUID | None, limit: int) -> tuple[list[UUID], UUID | None]:
        """The next ids behind `after`, and behind which the next page begins; None on the last."""
        ids = self._ids.get(account_id, [])
        begin = 0 if after is None else bisect_right(ids, after)
        shown = ids[begin : begin + limit]
        return shown, shown[-1] if shown and begin + limit < len(ids) else None
