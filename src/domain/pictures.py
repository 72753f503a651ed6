"""Pictures whose price depends on their size and quality, and which row of a price a request or an answer means.

What is not known may be anything, so the dearest row that could be meant counts: a hold covers whatever is made, and a
charge never rests on a guess in the client's favour or the provider's, but on a rule that both can read.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

UNKNOWN: Final = ("", "auto")
"""What says nothing of a size or a quality: the provider chooses."""


class Picture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one picture of this size and quality costs. An empty name stands for any."""

    size: str = ""
    quality: str = ""
    nano_per_million: int


def picture_of(
    rows: Sequence[Picture], other_nano_per_million: int | None, *, size: str, quality: str
) -> Picture | None:
    """The dearest row that `size` and `quality` can mean; none if there is no price for it.

    The row of every other picture, which has no names, is meant if no row fits, or if one of the two is not known.
    """
    found = [row for row in rows if _fits(row.size, size) and _fits(row.quality, quality)]
    is_open = size in UNKNOWN or quality in UNKNOWN
    if other_nano_per_million is not None and (is_open or not found):
        found.append(Picture(nano_per_million=other_nano_per_million))
    return max(found, key=lambda row: row.nano_per_million) if found else None


def _fits(named: str, asked: str) -> bool:
    return not named or asked in UNKNOWN or named == asked
