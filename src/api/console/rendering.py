"""Templates and their texts. Everything that is put into a page is escaped unless a template says otherwise; none does."""

from collections.abc import Iterable, Mapping
from functools import partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import i18n

from api.console.acts import act_choices, act_reason, act_word, subject_link
from api.console.agents import browser_of
from api.console.changes import changes_of
from api.console.parked_words import parked_word
from domain.recharge.reference import reference_of

TEMPLATES: Final = Path(__file__).parent / "templates"


class Renderer:
    """One environment for each language, so that a template's texts are looked up in the right catalogue."""

    def __init__(self, catalogues: Mapping[str, NullTranslations], *, version: str) -> None:
        self._catalogues = catalogues
        self._environments = {
            language: _environment(catalogue, version=version) for language, catalogue in catalogues.items()
        }

    def render(self, language: str, template: str, context: Mapping[str, Any]) -> str:
        return self._environments[language].get_template(template).render(context)

    def text(self, language: str, message: str) -> str:
        """A text that code holds, in a language."""
        return self._catalogues[language].gettext(message) if message else ""


def _environment(catalogue: NullTranslations, *, version: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=[i18n],
    )
    install = environment.install_gettext_translations  # type: ignore[attr-defined]  # the extension adds it
    partial(install, catalogue, newstyle=True)()
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals["asset_version"] = version
    environment.filters["json_text"] = _json_text
    environment.filters["pairs"] = _pairs
    environment.filters["browser"] = browser_of
    environment.filters["changes"] = partial(changes_of, text=catalogue.gettext)
    environment.filters["act_word"] = partial(act_word, catalogue.gettext)
    environment.filters["act_choices"] = partial(act_choices, catalogue.gettext)
    environment.filters["act_reason"] = partial(act_reason, catalogue.gettext)
    environment.filters["parked_word"] = partial(parked_word, catalogue.gettext)
    environment.filters["subject_link"] = subject_link
    environment.filters["order_reference"] = _order_reference
    environment.filters["zip_texts"] = partial(_zip_texts, catalogue)
    return environment


def _json_text(raw: bytes) -> str:
    """JSON as people read it."""
    return msgspec.json.format(bytes(raw), indent=2).decode()


def _order_reference(order_id: UUID | str) -> str:
    """What people know an order by; the events' own way to make it from the id."""
    return reference_of(UUID(str(order_id)))


def _pairs(items: Iterable[Any], value: str, text: str) -> list[tuple[Any, Any]]:
    """For a field with choices."""
    return [(getattr(one, value), getattr(one, text)) for one in items]


def _zip_texts(
    catalogue: NullTranslations, names: Iterable[str], texts: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Likewise, with the texts of names; a name without one stands for itself."""
    return [(name, catalogue.gettext(texts[name]) if name in texts else name) for name in names]
