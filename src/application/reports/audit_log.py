"""The audit log: every act of an operator or of the system in their stead, with what it changed.

No secret, no hash of one and no personal data is in it; people stand in it by their ids.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol

import msgspec

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `before` and `after` hold what it changed, by field; a field that is new has no `before`."""

    position: int
    occurred_us: int
    actor: str  #: `operator:<id>` or `system`
    topic: str
    subject_kind: str  #: `account`, `key`, `alias`, ...
    subject: str  #: an id, or a name where things have no id
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str | None


class ActFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts to list; an unset field allows all. Times bound `occurred_us`: from <= t < until."""

    actor: str | None = None
    topic: str | None = None
    subject_kind: str | None = None
    subject: str | None = None
    from_us: int | None = None
    until_us: int | None = None


class ActPage(msgspec.Struct, frozen=True, kw_only=True):
    """Acts, newest first. `next_before` is the `before_position` of the next page; `None` on the last."""

    items: tuple[Act, ...]
    next_before: int | None


class AuditQueries(Protocol):
    """Acts as last projected."""

    subject_kinds: ClassVar[tuple[str, ...]]  #: what acts may be about
    topics: ClassVar[Mapping[str, str]]  #: which acts there may be, and what each is about

    def acts(self, wanted: ActFilter, *, before_position: int | None = None, limit: int = 100) -> ActPage:
        """One page, newest first; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...


def acts_csv(page: ActPage) -> str:
    """RFC 4180, with the fields as head; no cell can be taken for a formula by a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(Act.__struct_fields__)
    for act in page.items:
        rows.writerow(_cell(getattr(act, name)) for name in Act.__struct_fields__)
    return out.getvalue()


def _cell(value: object) -> object:
    text = msgspec.json.encode(value).decode() if isinstance(value, dict) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text
