"""Why a payment message is parked, in the reader's language: what handling it says of it, by patterns, and the texts for that."""

import re
from collections.abc import Callable
from typing import Final

from api.console.field_words import FIELD_WORDS
from api.console.formats import Formats
from api.console.texts import N_, REFUSALS

_PARTS: Final = "; "
_TABLE: Final[tuple[tuple[str, str], ...]] = (
    (r"a message of live mode, .*", N_("It is about real money, and test payments are taken here.")),
    (r"a message of test mode, .*", N_("It is about a test, and real money is taken here.")),
    ("the provider is not set up", N_("This payment provider is not set up here.")),
    (
        r"the provider has no such object: (?P<rest>.*)",
        N_("The provider knows nothing of what it is about: %(rest)s"),
    ),
    (r"the provider does not answer: (?P<rest>.*)", N_("The provider does not answer: %(rest)s")),
    (r"no order (?P<rest>\S+)", N_("It is about an order that is not known here: %(rest)s")),
    (r"it cannot be handled: (?P<rest>.*)", N_("It cannot be handled: %(rest)s")),
    (
        "money goes back of an order that is not credited",
        N_("Money goes back of an order that was not credited."),
    ),
    (r"payment does not match: (?P<fields>.*)", N_("The payment does not match the order: %(fields)s")),
    (
        r"a refund of (?P<theirs>\d+) (?P<currency>[A-Z]{3}) names one of (?P<ours>\d+)",
        N_("A refund of %(theirs)s was made for one of %(ours)s that we asked for."),
    ),
    (
        "a refund that waits for a second operator has been made",
        N_("A refund that waits for a second operator has been made."),
    ),
    ("a refund that was denied has been made", N_("A refund that was denied has been made.")),
    (r"dispute (?P<rest>\S+) was lost, and is won", N_("Dispute %(rest)s was lost, and is won now.")),
)
_REFUSAL: Final = re.compile(r"(?P<code>[a-z_]+): .*", re.DOTALL)


def parked_word(text: Callable[[str], str], reason: str, fmt: Formats) -> str:
    """All that is said of a message; what has no words stays as it is."""
    return " ".join(_one(text, part, fmt) for part in reason.split(_PARTS))


def _one(text: Callable[[str], str], part: str, fmt: Formats) -> str:
    for pattern, message in _TABLE:
        if found := re.fullmatch(pattern, part, re.DOTALL):
            return text(message) % _values(text, found.groupdict(), fmt)
    refused = _REFUSAL.fullmatch(part)
    known = REFUSALS.get(refused["code"]) if refused else None
    return text(known) if known else part


def _values(text: Callable[[str], str], groups: dict[str, str], fmt: Formats) -> dict[str, str]:
    """Amounts as money, fields by their names."""
    if currency := groups.pop("currency", ""):
        return {name: fmt.cash(int(minor), currency) for name, minor in groups.items()}
    if fields := groups.get("fields"):
        words = (FIELD_WORDS.get(one, "") for one in fields.split(", "))
        groups["fields"] = ", ".join(
            text(word) if word else one for word, one in zip(words, fields.split(", "), strict=True)
        )
    return groups
