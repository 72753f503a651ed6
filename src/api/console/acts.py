"""Acts of the audit log as pages show them: what was done in words, and where what it is about is looked at."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote
from uuid import UUID

from api.console import texts
from api.console.act_words import DONE, REASONS
from application.reports.audit_log import Act
from domain.recharge.reference import reference_of

#: Where things are looked at, by what kind of subject they are; the id or the name follows.
_PAGES: Final = {
    "account": "customers/",
    "alias": "models/",
    "billing": "customers/",
    "bodies": "customers/",
    "codes": "codes/",
    "document": "invoices/",
    "endpoint": "endpoints/",
    "limit": "customers/",
    "member": "customers/",
    "order": "orders/",
    "provider": "providers/",
    "request": "requests/",
}


_THINGS: Final = {"order": "orders", "code of batch": "codes"}
_ID_CHARS: Final = 36


def act_word(text: Callable[[str], str], topic: str) -> str:
    """What was done, in a language, as a line begins; the topic's own word for one that has none."""
    noun, _, rest = topic.partition(".")
    verb = rest.rpartition(".")[0]
    said = (texts.ORDER_FACTS if noun == "order" else DONE).get(verb)
    words = text(said) if said else verb.replace("-", " ")
    return words[:1].upper() + words[1:]


def act_choices(text: Callable[[str], str], topics: Mapping[str, str]) -> list[tuple[str, str]]:
    """Topics with what they are called, for a field with choices, by what they are about."""
    named = [
        (topic, f"{text(texts.SUBJECTS[kind])}: {act_word(text, topic)}") for topic, kind in topics.items()
    ]
    return sorted(named, key=lambda pair: pair[1].casefold())


def act_reason(text: Callable[[str], str], act: Act) -> tuple[str, str]:
    """Why, and where that is looked at if it is a thing of ours. Somebody's own words stay as they are."""
    about, _, it = (act.reason or "").rpartition(" ")
    if about in _THINGS and len(it) == _ID_CHARS:
        path = f"/console/{_THINGS[about]}/{it}"
        return (reference_of(UUID(it)) if about == "order" else text(texts.SUBJECTS["codes"])), path
    ours = REASONS.get(act.reason or "")
    return (text(ours) if ours else act.reason or ""), ""


def subject_link(act: Act) -> str:
    """The page of what an act is about; empty where there is none."""
    path = _PAGES.get(act.subject_kind, "")
    return f"/console/{path}{quote(act.subject)}" if path and act.subject else ""
