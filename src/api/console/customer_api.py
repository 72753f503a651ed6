"""Who asks the customers' API on the console's address: a management key, or somebody who is signed in there.

A browser sends cookies wherever it is told to. So a request that stands on a session names its account in a header, which
no form and no other site can set, and what commands comes as JSON from our own pages.
"""

import asyncio
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from api.console.access import SESSION_COOKIE
from api.console.tools import ConsoleTools
from api.customer.access import Connection, Identify, by_management_key
from application.management.key_ring import Customer
from domain.fact import Actor
from domain.management import InvalidManagementKey
from domain.members import MEMBER_PERMISSIONS, NO_MEMBERS
from domain.refusal import NotFound, NotPermitted

ACCOUNT_HEADER: Final = "x-tokenok-account"
_JSON: Final = "application/json"
_COOKIE_CHARS_MAX: Final = 200


def by_key_or_session(tools: ConsoleTools) -> Identify:
    """A management key decides if there is one; else the session's cookie."""
    by_key = by_management_key(tools.admin.directory, tools.admin.ports.clock)

    async def identify(connection: Connection) -> Customer:
        secret = connection.cookies.get(SESSION_COOKIE, "")[:_COOKIE_CHARS_MAX]
        if "authorization" in connection.headers or not secret:
            return await by_key(connection)
        account_id = _account(connection, tools)
        session = await asyncio.to_thread(tools.sign_in.session, secret)
        if session is None or session.stage != "full":
            raise InvalidManagementKey("sign in first")
        members = tools.admin.directory.members.get(account_id, NO_MEMBERS).members
        member = members.get(session.person_id)
        if member is None:
            raise NotFound("account")
        return Customer(
            account_id=account_id,
            permissions=MEMBER_PERMISSIONS[member.role],
            actor=Actor("member", session.person_id),
        )

    return identify


def _account(connection: Connection, tools: ConsoleTools) -> UUID:
    """The account that a request of our own pages is about.

    Raises:
        NotPermitted: another site may have sent it.
        NotFound: it names no account.
    """
    headers = connection.headers
    origin = headers.get("origin")
    is_foreign = origin is not None and origin != tools.url and urlsplit(origin).netloc != headers.get("host")
    if is_foreign or headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise NotPermitted("a page of ours")
    is_command = connection.scope.get("method") == "POST"
    if is_command and headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise NotPermitted("a body of type application/json")
    try:
        return UUID(headers.get(ACCOUNT_HEADER, ""))
    except ValueError:
        raise NotFound("account") from None
