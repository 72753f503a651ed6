"""Statements: what changed an account's credit in a period, line by line, from one balance to another.

The balance is what the account owns: granted less charged, on hold or not. Amounts are nano-credits, signed as they
changed it. ADR 38.
"""

from typing import Final, Protocol
from uuid import UUID

import msgspec

from application.reports.period import Period

CHARGE: Final = "charge"


class StatementUnits(msgspec.Struct, frozen=True, kw_only=True):
    """What the charges of a line were for, added up."""

    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    images: int
    audio_ms: int
    characters: int
    searches: int


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One change, or all charges of a day that one key made for one model at one version of the prices.

    The charges of a line are the charged requests of its account, key, alias and price version that end at positions
    from `first_position` to `last_position`: ask for them to see what the line is made of.
    """

    day: str  #: in the time zone that was asked for
    kind: str  #: `charge`, `grant`, ...
    amount_nano: int
    first_position: int
    last_position: int
    place: int = 0  #: among the changes of one event
    occurred_us: int  #: told by the process that it happened in; of charges, the first
    charges: int = 0
    key_id: UUID | None = None
    alias: str | None = None
    price_version: int | None = None
    units: StatementUnits | None = None
    counter_account: str | None = None  #: the other side in the books, of what is no charge
    lot_id: UUID | None = None
    reason: str | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """An account's period as of a position of the log; once the period is over, later positions change nothing.

    `opening_nano` is the `closing_nano` of the period before, whatever it was; `opening_nano` and all of
    `totals_nano` make `closing_nano`. `next_after` is the `after` of the next page of lines; `None` on the last.
    """

    account_id: UUID
    period: Period
    zone: str
    position: int
    opening_nano: int
    totals_nano: dict[str, int]  #: by kind of line
    closing_nano: int
    lines: tuple[StatementLine, ...]
    next_after: str | None


class StatementQueries(Protocol):
    """Statements as last projected."""

    def statement(
        self,
        account_id: UUID,
        period: Period,
        *,
        zone: str = "UTC",
        after: str | None = None,
        limit: int = 100,
    ) -> Statement:
        """Lines in the order of the log.

        An account that nothing happened to has zeros. `limit` is capped at `PAGE_ROWS_MAX`.

        Raises:
            BadField: the zone is not known, or `after` is none of ours.
        """
        ...

    def whole_statement(
        self, account_id: UUID, period: Period, *, zone: str = "UTC", lines_max: int
    ) -> Statement:
        """With all of its lines, of one moment.

        Raises:
            BadField: the zone is not known, or the period has more than `lines_max` lines.
        """
        ...
