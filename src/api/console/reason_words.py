"""Why a value is refused, for people: what rules say of it, by patterns, and the texts for that.

Rules speak to programs, in English, with names of fields and in units of the ledger; a page says the same in words of its
form. Figures are groups of a pattern: `least` and `most` in the unit of the field, those with `_share` in millionths.
"""

import re
from typing import Final

from api.console.texts import N_

_EMPTY: Final = N_("must not be empty")
_RANGE: Final = N_("must be from %(least)s to %(most)s")
_UNREADABLE: Final = N_("cannot be read")
_NOT_OFFERED: Final = N_("is none of the choices")
_UNFIT: Final = N_("does not fit the other fields")
_MANY: Final = N_("must be at most %(most)s, none of them empty or twice")
_POSITIVE: Final = N_("must be above zero, and not too large")
_NOT_NEGATIVE: Final = N_("must not be negative")
_FUTURE: Final = N_("must be in the future")
_ORDER: Final = N_("the end must be after the beginning")
_FINE: Final = N_("has too many decimals")
_LARGE: Final = N_("is too large")
_TWICE: Final = N_("has an entry twice")
_URL: Final = N_("is no valid address")
_MONTH: Final = N_("must be a month such as 2026-11")
_LONG: Final = N_("is too long; choose a shorter time")

_TABLE: Final[tuple[tuple[str, str], ...]] = (
    # What is written.
    ("is empty|is needed if no other cause fits|must name at least one operation|is missing", _EMPTY),
    (
        r"(?:is longer than|has more than|have more than|has a body longer than) (?P<most>\d+) characters",
        N_("is longer than %(most)s characters"),
    ),
    (r"has fewer than (?P<least>\d+) characters", N_("is shorter than %(least)s characters")),
    (
        r"must have (?P<least>\d+) to (?P<most>\d+) characters",
        N_("must have %(least)s to %(most)s characters"),
    ),
    ("has characters that cannot be shown", N_("has characters that cannot be shown")),
    ("is too easy to guess", N_("is too easy to guess")),
    ("must be printable ASCII without blanks", N_("must be letters, digits and signs, without spaces")),
    (
        "must be lower-case letters, digits and hyphens, at most 63",
        N_("must be lower-case letters, digits and hyphens, at most 63"),
    ),
    (
        r"must be letters, digits and \._:@\+- in parts joined by '/', at most 200",
        N_("must be letters, digits and ._:@+-, in parts joined by “/”, at most 200"),
    ),
    (
        "must be 1 to 20 capital letters, digits, '-' and '/'",
        N_("must be 1 to 20 capital letters, digits, “-” and “/”"),
    ),
    (
        "must have one in English, for readers of all other languages",
        N_("must have one in English, for readers of all other languages"),
    ),
    ("or account_id must be given, and not both", N_("give either this or an account")),
    ("is the name of no account", N_("is the whole name of no account")),
    ("is the name of several accounts", N_("is the name of several accounts; give the id of one")),
    ("is no mail address|is no address that mail can be sent to", N_("must be an e-mail address")),
    (
        "must be a plain URL such as (?P<example>.+)",
        N_("must be an address such as %(example)s"),
    ),
    (
        "has no valid port|has an ambiguous path|has no valid host name|has no valid address in brackets|is no web address",
        _URL,
    ),
    ("must be https", N_("must begin with https://")),
    (
        "points to a private address that is not on the allowlist",
        N_("a private address: the setting ALLOW_PRIVATE_UPSTREAMS has to name it first"),
    ),
    (
        "must be a name that clients use, such as 1024x1024 or high",
        N_("must be a name such as 1024x1024 or high"),
    ),
    # Figures.
    (
        r"must (?:be|have rates of) (?P<least_share>\d+) to (?P<most_share>\d+) millionths.*",
        N_("must be from %(least)s%% to %(most)s%%"),
    ),
    (
        (
            r"must be (?:between |from |a factor from )?(?P<least>[\d.]+) (?:and|to) (?:the hold, )?(?P<most>[\d.]+)"
            r"(?: for a rolling window)?"
        ),
        _RANGE,
    ),
    (r"must not be above the (?P<most>\d+) that are disputed", N_("must be at most %(most)s")),
    (
        r"must have 1 to (?P<most>\d+) (?:aliases|deployments)|must (?:be|have) one to (?P<most_entries>\d+)(?: lines)?",
        N_("must have 1 to %(most)s entries"),
    ),
    (
        (
            r"(?:has more than|must be at most|and the other lists have at most) (?P<most>\d+)"
            r"(?: names| numbers| entries|, no two of .+| others, .+| names of .+| names such as .+)?"
        ),
        _MANY,
    ),
    (
        (
            r"must be positive, and .+|must be a positive number of minor units, .+|must have positive amounts, .+"
            r"|and rate_den must be positive, .+|must be positive|must be above 0"
        ),
        _POSITIVE,
    ),
    ("must not be negative|must not have a negative bonus", _NOT_NEGATIVE),
    ("is too large|is above the ceiling of .+", _LARGE),
    (
        r"must be a plain decimal with at most (?P<most>\d+) decimals",
        N_("must be a number with at most %(most)s decimals"),
    ),
    ("must have a rate that is a plain decimal such as 0.9213", N_("must have a rate such as 0.9213")),
    ("has more than nine decimals|has more decimals than .+|is finer than the currency", _FINE),
    ("is too fine or too large", N_("is too large, or has too many decimals")),
    ("buys no credit(?:, or too much)?", N_("buys no credit, or too much")),
    (r"must be at least one recharge, \d+ with tax", N_("must be enough for one top-up with tax")),
    (
        r"reaches charges of more than (?P<most>\d+) accounts: take less at once",
        N_("reaches more than %(most)s accounts: take less at once"),
    ),
    ("must not be more than output", N_("must not be more than the answer")),
    (
        "is what was paid already: leave it out to uphold the charge",
        N_("is what was paid already: leave it empty to uphold the charge"),
    ),
    ("must be in ascending order of their prompts", N_("must be in ascending order")),
    # Times.
    ("has passed", _FUTURE),
    (
        "must be in the future, and after the lot's beginning",
        N_("must be in the future, and after the beginning"),
    ),
    (
        "has passed, or is more than five years ahead",
        N_("must be in the future, at most five years ahead"),
    ),
    (
        "must be after from_us, by 31 days at most",
        N_("the end must be after the beginning, by 31 days at most"),
    ),
    ("must be after from_us|must not begin behind its end|must be before to_minute, .+", _ORDER),
    ("must be a month such as 2026-11|must be like 2026-11|or from_us and until_us must be given", _MONTH),
    ("must (?:have|be) a day such as 2026-11-29", N_("must be a day such as 2026-11-29")),
    (r"is more than \d+ days ahead", _LARGE),
    (r"must be (?P<least>\d+) to (?P<most>\d+)", _RANGE),
    ("is of a country whose invoices need no exchange rate|must be another than the tax office's", _UNFIT),
    (
        "must be the name of a time zone, such as UTC or Asia/Tokyo|is not known to the database",
        N_("must be a time zone such as UTC or Asia/Tokyo"),
    ),
    (r"has more than \d+ lines; ask for a shorter one|is beyond the days that can be printed", _LONG),
    # Choices.
    (
        (
            "must be one of .+|must be some of .+|may have .+|can be in .+|is none that .+|is not one that .+|is nothing that .+"
            "|has a model that the preset does not have at this endpoint|keeps no payment method .+|is no payment provider: .+"
        ),
        _NOT_OFFERED,
    ),
    ("must be an ISO 3166 code of two upper-case letters", N_("must be a country such as DE")),
    ("must be a known ISO 4217 code in upper case", N_("must be a currency such as EUR")),
    ("is no .+ number", N_("is no number of this kind")),
    ("has a name that the account does not allow", N_("has a name that the account does not allow")),
    ("is not the one that served the request", N_("is not the one that served the request")),
    ("is the alias itself", N_("must be another model")),
    (
        "has a deployment twice|must not name a country twice|must not have two tiers from one amount|names a group twice",
        _TWICE,
    ),
    # What belongs together.
    (
        "decides on the tax: say where the buyer is, or set the billing details",
        N_("decides on the tax: say where you are, or fill in the billing details"),
    ),
    (
        "is not that of the account's billing details, which decides on the tax",
        N_("must be that of the billing details, which decides on the tax"),
    ),
    (
        r"must be \w+ while something is unpaid in it",
        N_("must stay the same while something is unpaid in it"),
    ),
    (
        "of a budget never changes: remove it, and set another",
        N_("never changes: remove the budget, and set another"),
    ),
    (
        "and a package do not go together",
        N_("choose a package or write an amount, not both"),
    ),
    ("moves nothing", N_("changes nothing")),
    (
        (
            "or .+ must be given, and not both|or quality must be named; .+|or free amounts are needed, .+|needs a .+"
            "|and max_minor come together|go with the audience .+|is for days and months; .+|is for rolling windows"
            "|must be left out of what is paid|must be of another currency|must have a tax that follows .+"
            "|is what the register said of .+|and size must be in order, .+"
        ),
        _UNFIT,
    ),
    # What forms cannot send.
    (
        (
            "cannot be read|cannot be given without groups|has an entry that is no network|must be a position.*"
            "|must be the next_after of .+|must be at a quarter hour, .+|must be .+, a kind of the statement's totals, .+"
        ),
        _UNREADABLE,
    ),
)
REASONS: Final = tuple((re.compile(pattern), text) for pattern, text in _TABLE)


def known(reason: str) -> tuple[str, dict[str, str]] | None:
    """The text for a reason and the figures in it; none if nobody has written one."""
    for pattern, text in REASONS:
        if found := pattern.fullmatch(reason):
            return text, {name: value for name, value in found.groupdict().items() if value is not None}
    return None
