"""Who asks, and whether they may: every route says what it needs, and one that does not is closed.

A guard decides before anything of a route runs: the session, the role in the directory of this moment, the account in
the path, and for everything that changes something where the form came from.
"""

import asyncio
from typing import Any, Final, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from api.admin.codes import BadRequest
from api.console.languages import choose
from api.console.own_forms import StaleForm, check_form, fields_of
from api.console.tools import ConsoleTools
from application.people.ports import Person, Session, Theme
from application.people.sign_in import Visitor
from domain.fact import Actor
from domain.members import MEMBER_PERMISSIONS, MemberPermission, MemberRole
from domain.operators import PERMISSIONS, Permission, Role
from domain.refusal import BadField, NotFound, NotPermitted
from domain.support import NO_SUPPORT, Access
from domain.zones import zone_of

NEEDS: Final = "needs"  #: the key in a route's `opt`
SESSION_COOKIE: Final = "tokenok_session"
VISIT_COOKIE: Final = "tokenok_visit"
BROWSER_COOKIE: Final = "tokenok_browser"
LANGUAGE_COOKIE: Final = "tokenok_language"
ZONE_COOKIE: Final = "tokenok_zone"
THEME_COOKIE: Final = "tokenok_theme"
_VISIT: Final = "visit"
_VISIT_BYTES: Final = 16
_COOKIE_CHARS_MAX: Final = 200
_AS_THEY_ARE: Final = "".join(map(chr, range(ord("!"), ord("~") + 1)))  #: what a header can hold stays

Area = Literal["anybody", "half", "person", "staff", "account"]


class Needs(msgspec.Struct, frozen=True):
    """What a route asks of its caller.

    `anybody`; `half`: the password was right, and a code is owed; `person`: somebody who is signed in; `staff`: an operator
    whose role allows `permission`; `account`: a member of the account in the path whose role allows it.
    """

    area: Area
    permission: Permission | MemberPermission | Literal[""] = ""


class SignInFirst(Exception):
    """Nobody is signed in. `target` is where to go on afterwards."""

    def __init__(self, target: str) -> None:
        super().__init__("sign in first")
        self.target = target


class SecondFactorFirst(Exception):
    """An operator of this installation needs a second factor, and has none yet."""


class Visit(msgspec.Struct, kw_only=True):
    """One request: who asks, and how they want to read."""

    visitor: Visitor
    language: str
    zone: str
    theme: Theme | None
    csrf: str
    new_cookie: str | None = None  #: a visit cookie that the answer has to set
    session: Session | None = None
    person: Person | None = None
    role: Role | None = None  #: of an operator
    owes_factor: bool = False  #: an operator who has to set up a second factor first
    account_id: UUID | None = None
    member_role: MemberRole | None = None
    support: Access | None = None  #: an operator who looks into somebody else's account
    accounts: dict[UUID, str] = {}  #: those that the person is a member of, by what they are called

    @property
    def person_id(self) -> UUID:
        assert self.person is not None, "the guard let a person in"
        return self.person.person_id

    @property
    def operator(self) -> Actor:
        return Actor("operator", self.person_id)

    @property
    def member(self) -> Actor:
        return Actor("member", self.person_id)

    def may(self, permission: Permission) -> bool:
        """Of operators."""
        return self.role is not None and permission in PERMISSIONS[self.role]

    def member_may(self, permission: MemberPermission) -> bool:
        return self.member_role is not None and permission in MEMBER_PERMISSIONS[self.member_role]


class Gate:
    """The guard of every route of the console."""

    def __init__(self, tools: ConsoleTools) -> None:
        self._tools = tools

    async def check(self, connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler) -> None:
        """Let it pass, or raise.

        Raises:
            SignInFirst: nobody is signed in, or not wholly; `StaleForm` for a form.
            SecondFactorFirst: see there.
            NotPermitted: the role does not allow it.
            NotFound: the account is not one of the person's; the same as for one that there is not.
            ForeignForm, StaleForm: as `check_form`.
            MethodNotAllowedException: the route says nothing of what it needs.
            BadRequest: what is asked for cannot be looked up.
        """
        needs = route.opt.get(NEEDS)
        if needs is None:  # the framework answers OPTIONS by routes of its own, which are none of ours
            raise MethodNotAllowedException
        visit = await self._visit(connection)
        connection.state[_VISIT] = visit
        if "\0" in connection.scope["path"] or any("\0" in one for _, one in connection.query_params.items()):
            raise BadRequest("an address with characters that no database takes")
        if isinstance(connection, Request) and connection.method == "POST":
            token = visit.csrf if visit.new_cookie is None else ""
            await check_form(connection, token=token, url=self._tools.url)
        if needs.area == "anybody":
            return
        await self._require_session(connection, visit, half=needs.area == "half")
        if needs.area == "staff":
            _require_staff(visit, needs.permission)
        if needs.area == "account":
            self._require_account(visit, connection.path_params.get("account_id"), needs.permission)
            if visit.support is not None and connection.scope.get("method") != "GET":
                raise NotPermitted("a member: support changes nothing")

    async def _visit(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Visit:
        secret = connection.cookies.get(SESSION_COOKIE, "")[:_COOKIE_CHARS_MAX]
        session, person = await asyncio.to_thread(self._known, secret) if secret else (None, None)
        visit = self.visit_as(connection, session, person, held=secret if session else "")
        if session is not None and session.stage == "full":
            operator = self._tools.admin.directory.staff.operators.get(session.person_id)
            visit.role = operator.role if operator is not None and not operator.disabled else None
            has_codes = person is not None and person.has_totp
            visit.owes_factor = self._tools.staff_needs_codes and visit.role is not None and not has_codes
            visit.accounts = await asyncio.to_thread(self._accounts_of, session.person_id)
        return visit

    def _accounts_of(self, person_id: UUID) -> dict[UUID, str]:
        """In the order of their names. Blocking."""
        ids = sorted(self._tools.admin.directory.memberships.get(person_id, ()))
        names = self._tools.admin.ports.names.get(ids) if ids else {}
        return {one: names.get(one, "") for one in sorted(ids, key=lambda one: names.get(one, "").casefold())}

    def visit_as(
        self,
        connection: ASGIConnection[Any, Any, Any, Any],
        session: Session | None = None,
        person: Person | None = None,
        *,
        held: str = "",
    ) -> Visit:
        """As somebody who is known, or as a stranger; `held` is the secret of their session."""
        cookies, headers = connection.cookies, connection.headers
        held, new_cookie = (held, None) if held else self._held(cookies.get(VISIT_COOKIE, ""))
        return Visit(
            visitor=Visitor(
                address=connection.client.host if connection.client else "",
                agent=headers.get("user-agent", ""),
                browser=cookies.get(BROWSER_COOKIE, "")[:_COOKIE_CHARS_MAX],
            ),
            language=choose(
                (person.locale if person else None) or cookies.get(LANGUAGE_COOKIE),
                headers.get("accept-language", ""),
            ),
            zone=_known_zone((person.zone if person else None) or cookies.get(ZONE_COOKIE, "")),
            theme=_theme((person.theme if person else None) or cookies.get(THEME_COOKIE)),
            csrf=self._token(held),
            new_cookie=new_cookie,
            session=session,
            person=person,
        )

    def _known(self, secret: str) -> tuple[Session | None, Person | None]:
        session = self._tools.sign_in.session(secret)
        return session, None if session is None else self._tools.people.people.get(session.person_id)

    def _held(self, cookie: str) -> tuple[str, str | None]:
        """What the browser of a stranger holds; a new one if it holds nothing."""
        if len(cookie) == 2 * _VISIT_BYTES:
            return cookie, None
        fresh = self._tools.sign_in.ids.entropy(_VISIT_BYTES).hex()
        return fresh, fresh

    def _token(self, held: str) -> str:
        return self._tools.sign_in.hasher.digest(b"csrf\0" + held.encode()).hex()

    async def _require_session(
        self, connection: ASGIConnection[Any, Any, Any, Any], visit: Visit, *, half: bool
    ) -> None:
        wanted = "password" if half else "full"
        if visit.session is not None and visit.person is not None and visit.session.stage == wanted:
            return
        if isinstance(connection, Request) and connection.method == "POST":
            raise StaleForm(await fields_of(connection))
        path, query = connection.scope["path"], connection.scope["query_string"].decode("latin-1")
        raise SignInFirst(quote(f"{path}?{query}" if query else path, safe=""))

    def _require_account(self, visit: Visit, account_id: object, permission: str) -> None:
        members = (
            self._tools.admin.directory.members.get(account_id) if isinstance(account_id, UUID) else None
        )
        member = None if members is None else members.members.get(visit.person_id)
        if not isinstance(account_id, UUID):
            raise NotFound("account")
        if member is None:
            visit.support = self._looked_into(visit, account_id)
        if member is None and visit.support is None:
            raise NotFound("account")
        visit.account_id, visit.member_role = account_id, member.role if member else "viewer"
        if permission not in MEMBER_PERMISSIONS[visit.member_role]:
            raise NotPermitted(f"the permission {permission}")

    def _looked_into(self, visit: Visit, account_id: UUID) -> Access | None:
        """As support, if the operator may still do that."""
        if visit.owes_factor or not visit.may("accounts"):
            return None
        support = self._tools.admin.directory.support.get(account_id, NO_SUPPORT)
        return support.open_of(visit.person_id, now_us=self._tools.admin.ports.clock.now_us())


def make_gate(tools: ConsoleTools) -> Guard:
    """A function, since the framework copies what it is given."""
    gate = Gate(tools)

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler) -> None:
        await gate.check(connection, route)

    return guard


def visit_anyway(connection: ASGIConnection[Any, Any, Any, Any], tools: ConsoleTools) -> Visit:
    """Who asked; a stranger where no gate was on the way, as for a path that leads nowhere."""
    if _VISIT not in connection.state:
        secret = connection.cookies.get(SESSION_COOKIE, "")[:_COOKIE_CHARS_MAX]
        connection.state[_VISIT] = Gate(tools).visit_as(connection, held=secret)
    return visit_of(connection)


def visit_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Visit:
    """Who passed the gate."""
    visit = connection.state[_VISIT]
    assert isinstance(visit, Visit), "the gate sets it"
    return visit


def local_path(target: str | None, *, default: str) -> str:
    """`target` if it is a path of ours, so that nobody is sent elsewhere; as a header can say it."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return default
    if any(one in target for one in "\\\r\n\t") or any(ord(one) <= ord(" ") for one in target):
        return default
    return quote(target, safe=_AS_THEY_ARE, errors="replace")


def _require_staff(visit: Visit, permission: str) -> None:
    if visit.role is None:
        raise NotFound("page")  # whoever is no operator need not know what there is
    if visit.owes_factor:
        raise SecondFactorFirst
    if permission not in PERMISSIONS[visit.role]:
        raise NotPermitted(f"the permission {permission}")


def _theme(value: str | None) -> Theme | None:
    if value == "light":
        return "light"
    return "dark" if value == "dark" else None


def _known_zone(name: str) -> str:
    try:
        return zone_of(name).key
    except BadField:
        return "UTC"
