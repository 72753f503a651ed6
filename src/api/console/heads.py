"""HEAD as HTTP means it: what GET answers, without its body. Monitors and checkers of links ask in this way.

The framework knows a method for each route and answers 405 to HEAD, so the question is asked as a GET, once, outside of
every route; guards and errors are those of the page.
"""

from typing import cast

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import (
    HTTPScope,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Message,
    Receive,
    Scope,
    Send,
)


class AnswersHead(Litestar):
    """An application that answers HEAD wherever it answers GET."""

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        if scope["type"] != ScopeType.HTTP or cast("HTTPScope", scope)["method"] != "HEAD":
            await super().__call__(scope, receive, send)
            return
        asked = cast("HTTPScope", scope).copy()
        asked["method"] = "GET"

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await cast("Send", send)(message)

        await super().__call__(asked, receive, send_without_body)
