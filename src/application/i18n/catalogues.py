"""Catalogues of translated texts: `locales/<locale>/LC_MESSAGES/<domain>.po`, compiled in memory when they are loaded.

A domain is what one surface says (`documents`, `console`). `./run messages` brings the files up to date with the code,
`./run check` refuses what is missing, fuzzy or stale. Nothing compiled is kept anywhere.
"""

import io
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from application.i18n.locales import SOURCE, Locale

_SOURCES: Final = Path(__file__).parent.parent.parent
ROOT: Final = next(
    folder for folder in (_SOURCES.parent / "locales", _SOURCES / "locales") if (folder / "zh").is_dir()
)
"""Beside the sources in a checkout, among them where they are installed."""


def catalogue_path(root: Path, domain: str, locale: str) -> Path:
    """Where the texts of a domain in one language are."""
    return root / locale / "LC_MESSAGES" / f"{domain}.po"


def load_catalogue(domain: str, locale: Locale, *, root: Path = ROOT) -> NullTranslations:
    """The texts of a domain, with the functions of `gettext`. Load once and keep; it takes milliseconds.

    Raises:
        FileNotFoundError: the domain has no catalogue in this language.
    """
    if locale == SOURCE:
        return NullTranslations()
    with catalogue_path(root, domain, locale).open("rb") as file:
        catalogue = read_po(file, locale=locale, domain=domain, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
