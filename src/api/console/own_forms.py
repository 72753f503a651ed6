"""Whether a form is one of ours, and what becomes of one that was open for too long: what was written in it is not lost.

A page is bound to who was signed in when it was opened. Is it sent after that is over, the browser itself still says that it is ours:
so it is not done, but shown again, and whoever is there now decides.
"""

import hmac
import re
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request

FORM_TYPE: Final = "application/x-www-form-urlencoded"
CSRF_FIELD: Final = "_csrf"
#: A word in the name of fields that are not shown again: nobody finds a password in the source of a page.
_SECRET: Final = frozenset({"password", "secret", "code", "seed", "token", "answer"})
_WORD: Final = re.compile(r"[a-z]+")


class ForeignForm(Exception):
    """A form that is not one of ours, or an old one: nothing was done."""


class StaleForm(ForeignForm):
    """One of ours, but whoever opened its page is not who is there now, if anybody is: nothing was done."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__("of an earlier sign-in")
        self.fields = fields

    def __repr__(self) -> str:
        return f"StaleForm({len(self.fields)} fields)"

    @property
    def may_be_shown(self) -> bool:
        """Whether nothing in it is secret."""
        return not any(is_secret(name) for name, _ in self.fields)


def is_secret(name: str) -> bool:
    """Whether a field of this name holds what is not written into a page."""
    return not _SECRET.isdisjoint(_WORD.findall(name))


async def check_form(request: Request[Any, Any, Any], *, token: str, url: str) -> None:
    """Ours, by three signs: it has the form of one, no other site has sent it, and it holds what only our pages know.

    `token`: that of whoever asks; empty for a browser that never had one.

    Raises:
        ForeignForm, StaleForm: see there.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise ForeignForm("not a form")
    origin = request.headers.get("origin")
    is_ours = origin is not None and (origin == url or urlsplit(origin).netloc == request.headers.get("host"))
    if origin is not None and not is_ours:
        raise ForeignForm("from another origin")
    if origin is None and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForeignForm("from another site")
    held = str((await request.form()).get(CSRF_FIELD, ""))
    if token and hmac.compare_digest(held.encode(), token.encode()):
        return
    if is_ours:
        raise StaleForm(await fields_of(request))
    raise ForeignForm("without our token")


async def fields_of(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    """What was written in a form, in its order; without our token."""
    return [(name, str(one)) for name, one in (await request.form()).items() if name != CSRF_FIELD]


def page_before(request: Request[Any, Any, Any]) -> str:
    """The page of ours that a form was on; empty if the browser does not tell."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host") or not parts.path.startswith("/"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
