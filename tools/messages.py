"""Keeps the catalogues of translated texts: `./run messages` adds what the code says anew and drops what it says no more;
`python -m tools.messages --check` only says what is missing, fuzzy, stale or does not fit its original.

What is looked for: `_()`, `gettext()`, `ngettext()`, `pgettext()`, `npgettext()` and `N_()` in Python, `{% trans %}` and
the same functions in templates. A comment `NOTE: ...` before a text reaches the translator.
"""

import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from application.i18n.catalogues import ROOT, catalogue_path
from application.i18n.locales import LOCALES, SOURCE

#: Where the texts of each domain are written, from `src`. A domain without any text has no catalogue.
DOMAINS: Final[dict[str, tuple[str, ...]]] = {
    "documents": ("adapters/documents", "application/documents", "application/invoicing"),
    "mails": ("adapters/mail", "application/mail"),
    "console": ("api/console",),
}
SOURCES: Final = ROOT.parent / "src"
_METHODS: Final = {".py": "python", ".html": "jinja2.ext:babel_extract", ".txt": "jinja2.ext:babel_extract"}
#: As the environments of our templates are set up: blanks at line ends within `{% trans %}` do not count.
#: A template that cannot be read is an error.
_OPTIONS: Final = {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.i18n"}
_KEYWORDS: Final = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)[sd]")
#: Templates put values into every text, so a percent sign of its own is written twice, or as another character.
_LONE_PERCENT: Final = re.compile(r"(?<!%)(?:%%)*%(?!%|\(\w+\)[sd])")
#: Says when and by whom, which the history of the file knows better.
_DATED: Final = re.compile(
    rb'^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|'
    rb'Language-Team|Generated-By): [^"]*"\n',
    re.MULTILINE,
)


def extract(domain: str, *, sources: Path = SOURCES) -> Catalog:
    """All texts of a domain as the code has them."""
    found = Catalog(domain=domain)
    for path in _files(domain, sources):
        method = _METHODS[path.suffix]
        for line, text, comments, context in extract_from_file(
            method,
            path,
            keywords=_KEYWORDS,
            comment_tags=("NOTE:",),
            options=_OPTIONS,
            strip_comment_tags=True,
        ):
            if text:
                place = path.relative_to(sources).as_posix()
                found.add(text, locations=[(place, line)], auto_comments=comments, context=context)
    return found


def _files(domain: str, sources: Path) -> Iterator[Path]:
    for folder in DOMAINS[domain]:
        yield from sorted(path for path in (sources / folder).rglob("*") if path.suffix in _METHODS)


def update(said: Catalog, locale: str, *, root: Path = ROOT) -> None:
    """Write the catalogue of a domain anew with `said`, the texts of the code, translations kept. Nothing is guessed, so nothing is fuzzy."""
    domain = str(said.domain)
    path = catalogue_path(root, domain, locale)
    kept = _read(path, domain, locale) or Catalog(locale=locale, domain=domain)
    if not len(said):
        path.unlink(missing_ok=True)
        return
    fresh = Catalog(
        locale=locale,
        domain=domain,
        fuzzy=False,
        header_comment=f"# {domain} in {locale}. `./run messages` keeps it.",
    )
    for message in said:
        if message.id:
            old = kept.get(message.id, context=message.context)
            text = "" if old is None or type(old.id) is not type(message.id) else old.string
            fresh.add(
                message.id,
                text or None,
                locations=sorted({(place, 1) for place, _ in message.locations}),
                auto_comments=message.auto_comments,
                user_comments=() if old is None else old.user_comments,
                context=message.context,
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_written(fresh))


def _written(catalogue: Catalog) -> bytes:
    """The file, without the dates and names that would change it each time."""
    out = io.BytesIO()
    write_po(out, catalogue, width=110, include_lineno=False, sort_by_file=True)
    return _DATED.sub(b"", out.getvalue())


def _read(path: Path, domain: str, locale: str) -> Catalog | None:
    try:
        with path.open("rb") as file:
            return read_po(file, locale=locale, domain=domain, abort_invalid=True)
    except FileNotFoundError:
        return None


def faults(said: Catalog, locale: str, *, root: Path = ROOT) -> list[str]:
    """What is wrong with the catalogue of a domain that has the texts `said`, a line for each."""
    domain = str(said.domain)
    path = catalogue_path(root, domain, locale)
    kept = _read(path, domain, locale)
    if kept is None:
        return [f"{path}: is not there"] if len(said) else []
    wrong = [_fault(message, kept.get(message.id, context=message.context)) for message in said if message.id]
    known = {(message.context, _key(message)) for message in said}
    stale = [
        f"stale, no code says it: {_key(message)!r}"
        for message in kept
        if message.id and (message.context, _key(message)) not in known
    ]
    dead = [f"stale, kept as a comment: {_key(message)!r}" for message in kept.obsolete.values()]
    return [f"{path}: {one}" for one in (*filter(None, wrong), *stale, *dead)]


def _fault(said: Message, kept: Message | None) -> str | None:
    key = _key(said)
    if kept is None or type(kept.id) is not type(said.id):
        return f"missing: {key!r}"
    if kept.fuzzy:
        return f"fuzzy: {key!r}"
    texts = _texts(kept.string)
    if not texts or not all(texts):
        return f"not translated: {key!r}"
    wanted = {name for one in _texts(said.id) for name in _PLACEHOLDER.findall(one)}
    if any(set(_PLACEHOLDER.findall(text)) - wanted for text in texts) or not wanted <= {
        name for text in texts for name in _PLACEHOLDER.findall(text)
    }:
        return f"has not the placeholders of its original: {key!r}"
    if any(_LONE_PERCENT.search(text) for text in texts):
        return f"has a percent sign that is no placeholder: {key!r}"
    return None


def _texts(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _key(message: Message) -> str:
    return _texts(message.id)[0]


def main(arguments: Iterable[str]) -> int:
    pairs = [(said, locale) for said in map(extract, DOMAINS) for locale in LOCALES if locale != SOURCE]
    if "--check" not in arguments:
        for said, locale in pairs:
            update(said, locale)
    wrong = [fault for said, locale in pairs for fault in faults(said, locale)]
    sys.stdout.writelines(f"{one}\n" for one in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
