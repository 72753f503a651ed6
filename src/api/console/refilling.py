"""Puts what somebody has written back into the form of a page that is shown again: into its HTML, so that no template has to know.

Passwords, keys and codes are not written into a page.
"""

from collections import defaultdict
from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from api.console.own_forms import is_secret

Attributes = list[tuple[str, str | None]]

_OURS: Final = frozenset({"_csrf", "_once", "back", "then"})  #: which page, and not what is written in it
_LEFT_OUT: Final = frozenset({"hidden", "password", "submit", "button", "file", "image", "reset"})
_WRITTEN: Final = frozenset({"input", "select", "textarea"})
_PICKED: Final = frozenset({"checkbox", "radio"})


def refilled(html: str, *, action: str, fields: Iterable[tuple[str, str]], problem: str) -> str | None:
    """The page with `fields` in its form for `action`, that form in sight, and `problem` in it.

    None if it has no such form, or one of nothing but a button: of several the one whose hidden fields are those that were sent.
    """
    sent: dict[str, list[str]] = defaultdict(list)
    for name, value in fields:
        if not is_secret(name):
            sent[name].append(value)
    finder = _Finder(action, sent)
    finder.feed(html)
    finder.close()
    if finder.form is None:
        return None
    filler = _Filler(finder.form, finder.folds, sent, problem)
    filler.feed(html)
    filler.close()
    return "".join(filler.parts)


class _Finder(HTMLParser):
    """Which form it is, counted from the beginning, and the folds that it is in."""

    def __init__(self, action: str, sent: dict[str, list[str]]) -> None:
        super().__init__(convert_charrefs=True)
        self.form: int | None = None
        self.folds: frozenset[int] = frozenset()
        self._action, self._sent = action, sent
        self._forms = self._details = -1
        self._open: list[int] = []
        self._fits = self._is_written = False

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        found = dict(attrs)
        if tag == "details":
            self._details += 1
            self._open.append(self._details)
        elif tag == "form":
            self._forms += 1
            path = urlsplit(found.get("action") or "").path
            self._fits = self.form is None and path == self._action and found.get("method") == "post"
            self._is_written = False
        elif tag == "input" and self._fits and found.get("type") == "hidden":
            name, value = found.get("name") or "", found.get("value") or ""
            self._fits = name in _OURS or value in self._sent[name]
        elif tag in _WRITTEN:
            self._is_written = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "details" and self._open:
            self._open.pop()
        elif tag == "form" and self._fits and self._is_written:
            self.form, self.folds, self._fits = self._forms, frozenset(self._open), False


class _Filler(HTMLParser):
    """Writes the page anew, with the one form filled in."""

    def __init__(self, form: int, folds: frozenset[int], sent: dict[str, list[str]], problem: str) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._form, self._folds, self._sent, self._problem = form, folds, sent, problem
        self._forms = self._details = -1
        self._is_inside = self._is_skipping = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        raw = self.get_starttag_text() or ""
        if tag == "details":
            self._details += 1
            is_closed = self._details in self._folds and ("open", None) not in attrs
            self.parts.append(_tag(tag, [*attrs, ("open", None)]) if is_closed else raw)
        elif tag == "form":
            self._forms += 1
            self._is_inside = self._forms == self._form
            self.parts.append(raw)
        elif self._is_inside:
            self._inside(tag, attrs, raw)
        else:
            self.parts.append(raw)

    def _inside(self, tag: str, attrs: Attributes, raw: str) -> None:
        name = dict(attrs).get("name") or ""
        if tag == "input":
            raw = _tag(tag, self._input(name, attrs))
        elif tag == "option":
            raw = _tag(tag, self._option(attrs))
        elif tag == "select":
            self._select = name
        self.parts.append(raw)
        if tag == "textarea" and self._sent[name]:
            self.parts.append(f"\n{escape(self._sent[name].pop(0))}")
            self._is_skipping = True
        if dict(attrs).get("class") == "answer":
            self._say()

    def _input(self, name: str, attrs: Attributes) -> Attributes:
        kind = dict(attrs).get("type") or "text"
        if kind in _PICKED:
            is_picked = (dict(attrs).get("value") or "on") in self._sent[name]
            return _with(attrs, "checked", None, is_there=is_picked)
        if kind in _LEFT_OUT or not self._sent[name]:
            return attrs
        return _with(attrs, "value", self._sent[name].pop(0))

    def _option(self, attrs: Attributes) -> Attributes:
        """Those of our lists have a value; of one that was not sent, what the page had chosen stays."""
        sent = self._sent[self._select]
        if not sent:
            return attrs
        return _with(attrs, "selected", None, is_there=dict(attrs).get("value") == sent[0])

    def _say(self) -> None:
        self.parts.append(self._problem)
        self._problem = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._is_skipping = False
        elif tag == "form" and self._is_inside:
            if self._problem:
                self._say()
            self._is_inside = False
        elif tag == "select" and self._sent[self._select]:
            self._sent[self._select].pop(0)
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._is_skipping:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl}>")

    def handle_comment(self, data: str) -> None:
        self.parts.append(f"<!--{data}-->")


def _with(attrs: Attributes, name: str, value: str | None, *, is_there: bool = True) -> Attributes:
    rest = [(one, text) for one, text in attrs if one != name]
    return [*rest, (name, value)] if is_there else rest


def _tag(tag: str, attrs: Attributes) -> str:
    said = "".join(f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in attrs)
    return f"<{tag}{said}>"
