"""What pages say of a value that is refused: its field and the reason, in words of the form and of the visitor."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from api.admin.codes import BadRequest
from api.console.formats import Formats
from api.console.reason_words import known
from api.console.refusal_words import detail_of
from api.console.unreadable import Unreadable
from application.i18n.catalogues import load_catalogue
from application.i18n.locales import LOCALES, Locale
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted
from domain.text import printable

_SRC: Final = Path(__file__).parents[3] / "src"
_RAISES: Final = {"BadField": "", "Unreadable": "cannot be read"}


def reasons() -> Iterator[tuple[str, str]]:
    """Where one is given, and the reason with a figure in the place of each value."""
    for path in sorted(_SRC.rglob("*.py")):
        tree = ast.parse(path.read_text())
        texts = {
            one.target.id: _text(one.value, {})
            for one in tree.body
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is not None
        }
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _RAISES:
                given = _text(call.args[1], texts) if len(call.args) > 1 else _RAISES[call.func.id]
                yield f"{path.relative_to(_SRC)}:{call.lineno}", given


def _text(node: ast.expr, texts: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(one, texts) if isinstance(one, ast.Constant) else "7" for one in values)
        case ast.Name(id=name):
            return texts.get(name, "")
    return ""


#: Made of another reason, or handed on as it came.
_HANDED_ON: Final = ("domain/hooks/address.py",)


def test_every_reason_has_words() -> None:
    """A rule that somebody adds gets its text in `reason_words`, or people would only read that something is wrong."""
    found = [one for one in reasons() if not one[0].startswith(_HANDED_ON)]
    assert len(found) > 150
    assert [one for one in found if known(one[1]) is None] == []


CATALOGUES: Final = {locale: load_catalogue("console", locale) for locale in LOCALES}


def said(error: Exception, language: Locale = "en") -> str:
    return detail_of(error, text=CATALOGUES[language].gettext, fmt=Formats(language, ZoneInfo("UTC")))


@pytest.mark.parametrize(
    ("error", "english", "korean"),
    [
        (BadField("name", "is empty"), "Name: must not be empty", "이름: 비워 둘 수 없습니다"),
        (
            BadField("key_id", "or account_id must be given, and not both"),
            "API key: give either this or an account",
            "API 키: 이 항목과 계정 중 하나만 지정하세요",
        ),
        (
            BadField("amount_nano", "must be between 1 and 2500000000"),
            "Amount: must be from 0.000000001 to 2.5",
            "금액: 0.000000001에서 2.5 사이여야 합니다",
        ),
        (
            BadField("overlap_s", "must be between 0 and 86400"),
            "The old one works for, in hours: must be from 0 to 24",
            "이전 키 유효 시간(시간): 0에서 24 사이여야 합니다",
        ),
        (
            BadField("taxes", "must be 0 to 1000000 millionths"),
            "Taxes: must be from 0% to 100%",
            "세금: 0%에서 100% 사이여야 합니다",
        ),
        (
            BadField("entries.fast.input", "is above the ceiling of 1000 credits"),
            "Input: is too large",
            "입력: 너무 큽니다",
        ),
        (
            BadField("packages", "and the other lists have at most 20 entries"),
            "Packages: must be at most 20, none of them empty or twice",
            "패키지: 최대 20개이며 비어 있거나 중복될 수 없습니다",
        ),
        (
            BadField("no_such_field", "cannot be read"),
            "cannot be read",
            "읽을 수 없습니다",
        ),
        (
            BadRequest("Object missing required field `name`"),
            "Name: must not be empty",
            "이름: 비워 둘 수 없습니다",
        ),
        (
            BadRequest("Expected `int`, got `str` - at `$.entries[...].input`"),
            "Input: cannot be read",
            "입력: 읽을 수 없습니다",
        ),
        (Unreadable("amount", "has more decimals than EUR"), "Amount: has too many decimals", "금액: 소수 자릿수가 너무 많습니다"),
        (AlreadyExists("alias", "fast"), "fast", "fast"),
        (NotFound("key", "01a22e43-e2d3-715d-9090-317d905bbeec"), "", ""),
        (BadField("name", "is of a kind that nobody foresaw"), "", ""),
        (NotPermitted("the permission accounts"), "", ""),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_words_of_the_form(error: Exception, english: str, korean: str) -> None:
    """Fields by their labels, figures as the form takes them; for programs alone stays what nobody has words for."""
    assert (said(error), said(error, "ko")) == (english, korean)


def test_what_was_typed_is_never_repeated() -> None:
    """A secret in the wrong field is on no page."""
    with pytest.raises(BadField) as caught:
        printable("sk-canary\0", field="name")
    assert "canary" not in said(caught.value)
