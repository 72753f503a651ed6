"""Codes are for programs: people get words."""

from importlib import import_module
from pathlib import Path
from typing import Final, get_args

from api.admin.codes import STATUSES
from api.console.texts import BOOK_ACCOUNTS, LETTERS, REFUSALS
from application.mail.letters import AnyLetter
from domain.money.postings import load_money_rules
from domain.refusal import Refusal

_SRC: Final = Path(__file__).parents[3] / "src"
#: Those of `/v1`, of gateways among themselves, and of programs: no page has a form that they can be said to.
_NOT_SAID_HERE: Final = frozenset(
    {
        "bad_notice",
        "budget_exceeded",
        "budget_spent",
        "duplicate_request",
        "idempotency_key_required",
        "idempotency_outcome_recorded",
        "insufficient_quota",
        "invalid_api_key",
        "invalid_token",
        "lease_already_granted",
        "lease_busy",
        "lease_ended",
        "model_not_allowed",
        "rate_limit_exceeded",
        "refused",
        "secret_taken",
        "share_gone",
        "share_too_small",
        "unknown_request",
    }
)


def codes_of(kind: type[Refusal]) -> set[str]:
    """Its own, and those of all that are made of it."""
    own = {kind.code} if kind.__module__.startswith(("domain.", "application.")) else set()
    return own.union(*(codes_of(one) for one in kind.__subclasses__()))


def test_whatever_is_refused_is_said_in_words() -> None:
    """A refusal that somebody adds gets its words, or its place in the list of those that pages never say."""
    for path in (*_SRC.glob("domain/**/*.py"), *_SRC.glob("application/**/*.py")):
        import_module(".".join(path.relative_to(_SRC).with_suffix("").parts).removesuffix(".__init__"))
    codes = codes_of(Refusal) | set(STATUSES)
    assert codes - set(REFUSALS) <= _NOT_SAID_HERE


def test_every_account_of_the_books_in_money_has_a_name() -> None:
    heads = {account.name.partition(":")[0] for account in load_money_rules().accounts.values()}
    assert heads <= set(BOOK_ACCOUNTS)


def test_every_mail_has_a_name_for_operators() -> None:
    """In their list of mails; none is named that is not sent."""
    assert {kind.__struct_config__.tag for kind in get_args(AnyLetter)} == set(LETTERS)
