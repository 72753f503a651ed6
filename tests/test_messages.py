"""The tool that keeps catalogues of translated texts, on a source tree of its own."""

from pathlib import Path

import pytest
from jinja2 import TemplateSyntaxError

from application.i18n.catalogues import catalogue_path, load_catalogue
from application.i18n.locales import LOCALES, SOURCE
from tools import messages

PYTHON = """\
def texts(_, ngettext, pgettext, name, n):
    # NOTE: at the head of a page
    return _("Total"), ngettext("%(n)d page", "%(n)d pages", n), pgettext("of a person", "Name")
"""
TEMPLATE = """\
<h1>{% trans %}Invoice{% endtrans %}</h1>
<p>{% trans name=name %}
    Dear {{ name }},
    thank you.
{% endtrans %}</p>
"""


class Tree:
    """Sources and catalogues in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.root = folder / "src", folder / "locales"
        self.write("texts.py", PYTHON)
        self.write("page.html", TEMPLATE)

    def write(self, name: str, text: str) -> None:
        path = self.sources / "api" / "console" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def path(self) -> Path:
        return catalogue_path(self.root, "console", "ja")

    def update(self) -> None:
        messages.update(messages.extract("console", sources=self.sources), "ja", root=self.root)

    def faults(self) -> list[str]:
        found = messages.faults(messages.extract("console", sources=self.sources), "ja", root=self.root)
        return [one.removeprefix(f"{self.path}: ") for one in found]

    def translate(self, **texts: str) -> None:
        """Give each text without a translation one; `texts` are by the first word of the original."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        for place, line in enumerate(lines):
            if line.startswith(("msgid", '"')):
                latest = line.split('"')[1] or latest_of(lines, place)
            if line in {'msgstr ""', 'msgstr[0] ""'} and place > first_entry(lines):
                word = latest.split()[0].rstrip(",")
                lines[place] = line[:-1] + texts.get(word, "訳 " + " ".join(PLACEHOLDERS.get(word, []))) + '"'
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")


PLACEHOLDERS = {"Dear": ["%(name)s"], "%(n)d": ["%(n)d"]}


def latest_of(lines: list[str], place: int) -> str:
    return lines[place + 1].split('"')[1] if lines[place + 1].startswith('"') else "header"


def first_entry(lines: list[str]) -> int:
    return lines.index("")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    made.update()
    return made


def test_texts_of_code_and_templates_come_into_the_catalogue(tree: Tree) -> None:
    """With what the translator is told and the file that says them, and without dates or line numbers."""
    text = tree.path.read_text(encoding="utf-8")
    for said in (
        "Total",
        "%(n)d pages",
        "Invoice",
        "Dear %(name)s, thank you.",
        "at the head of a page",
        "of a person",
    ):
        assert said in text
    assert "api/console/page.html\n" in text
    assert "Date" not in text


def test_what_is_not_translated_is_told(tree: Tree) -> None:
    """Each text, by itself."""
    assert len(tree.faults()) == 5
    assert "not translated: 'Invoice'" in tree.faults()


def test_a_full_catalogue_has_no_faults_and_speaks(tree: Tree) -> None:
    """It is compiled when it is loaded, from the file alone."""
    tree.translate(Invoice="請求書", Dear="%(name)s 様")
    assert tree.faults() == []
    loaded = load_catalogue("console", "ja", root=tree.root)
    assert loaded.gettext("Invoice") == "請求書"
    assert loaded.gettext("Dear %(name)s, thank you.") == "%(name)s 様"


def test_writing_a_catalogue_again_keeps_every_byte(tree: Tree) -> None:
    """Translations, their order and nothing else."""
    tree.translate()
    before = tree.path.read_bytes()
    tree.update()
    assert tree.path.read_bytes() == before


def test_a_new_text_is_missing_and_a_dropped_one_stale(tree: Tree) -> None:
    """Until the catalogue is brought up to date."""
    tree.translate()
    tree.write("page.html", "{% trans %}Receipt{% endtrans %}")
    assert sorted(one.partition(":")[0] for one in tree.faults()) == [
        "missing",
        "stale, no code says it",
        "stale, no code says it",
    ]
    tree.update()
    assert tree.faults() == ["not translated: 'Receipt'"]


def test_a_fuzzy_text_is_told(tree: Tree) -> None:
    """Someone must look at it first."""
    tree.translate()
    text = tree.path.read_text(encoding="utf-8")
    tree.path.write_text(text.replace('msgid "Total"', '#, fuzzy\nmsgid "Total"'), encoding="utf-8")
    assert tree.faults() == ["fuzzy: 'Total'"]


@pytest.mark.parametrize("text", ["%(name)s 100%", "%(name)s %%%", "%(name)s (%)"])
def test_a_percent_sign_of_its_own_is_written_twice(tree: Tree, text: str) -> None:
    """Values are put into every text of a template, so a page with such a text would fail."""
    tree.translate(Dear=text)
    assert tree.faults() == ["has a percent sign that is no placeholder: 'Dear %(name)s, thank you.'"]


def test_a_percent_sign_that_is_written_twice_is_none_of_a_placeholder(tree: Tree) -> None:
    """Also before one."""
    tree.translate(Dear="100%%%(name)s")
    assert tree.faults() == []


@pytest.mark.parametrize("text", ["様", "%(naem)s 様", "%(name)s %(more)s"])
def test_a_translation_has_the_placeholders_of_its_original(tree: Tree, text: str) -> None:
    """All of them, and no other."""
    tree.translate(Dear=text)
    assert tree.faults() == ["has not the placeholders of its original: 'Dear %(name)s, thank you.'"]


def test_a_template_that_cannot_be_read_is_an_error(tree: Tree) -> None:
    """Its texts are not just left out."""
    tree.write("page.html", "{% trans %}Receipt")
    with pytest.raises(TemplateSyntaxError, match="unclosed translation block"):
        tree.faults()


def test_a_missing_catalogue_is_told_and_cannot_be_loaded(tree: Tree) -> None:
    """Nobody reads a language that is not there in another."""
    tree.path.unlink()
    assert tree.faults() == ["is not there"]
    with pytest.raises(FileNotFoundError):
        load_catalogue("console", "ja", root=tree.root)


def test_the_catalogues_of_the_product_are_whole() -> None:
    """Run `./run messages` when this fails, then translate what is empty."""
    pairs = [
        (said, locale)
        for said in map(messages.extract, messages.DOMAINS)
        for locale in LOCALES
        if locale != SOURCE
    ]
    assert [fault for said, locale in pairs for fault in messages.faults(said, locale)] == []
