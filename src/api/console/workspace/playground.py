"""The playground: ask one to three models, read their answers side by side, see what each cost.

It asks a gateway with an API key of its own, which ends after some hours. The key's secret lies in a cookie that no script can read
and that goes to the playground's pages alone; the console keeps it nowhere. With a script answers come as they are made and
can be stopped; without one they come when they are whole.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.headers import HEADERS
from api.console.pages import Flash, Pages
from api.console.texts import N_, REFUSALS
from application.directory_views import ApiKeyView
from application.keys import issue_key, revoke_key
from application.playground.answer import Answer, answer_of, problem_of
from application.playground.ports import ChatGateway, GatewayAway, Reply
from application.playground.question import MODELS_MAX, TOKENS, Question, Said, conversation, question
from domain.limits import Limits
from domain.refusal import BadField, NotFound
from domain.secret import Secret

Asked = Request[Any, Any, Any]
_READ: Final = {NEEDS: Needs("account", "read")}
_KEYS: Final = {NEEDS: Needs("account", "keys")}
COOKIE: Final = "tokenok_playground"
KEY_NAME: Final = "Playground"
KEY_HOURS: Final = 8
_LIMITS: Final = Limits(rpm=60, concurrency=2 * MODELS_MAX)
_ANSWER_BYTES_MAX: Final = 1024 * 1024
_SECRET_CHARS_MAX: Final = 200
_NOBODY: Final = N_("No gateway answers at the moment. Try again.")
_ENDED: Final = N_("The playground has ended: its key is good for eight hours. Open it anew.")
_SSE: Final = "text/event-stream"
_OK: Final = 200
_BAD_REQUEST: Final = 400


class Playground:
    """What the routes below share."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.tools = pages.tools
        self.ports = pages.tools.admin.ports

    @property
    def gateway(self) -> ChatGateway:
        if self.tools.chat is None:
            raise NotFound("playground")
        return self.tools.chat

    def key_of(self, request: Asked, account_id: UUID) -> tuple[ApiKeyView, Secret] | None:
        """The key that the browser holds, if it is one of the account's and works."""
        text = request.cookies.get(COOKIE, "")[:_SECRET_CHARS_MAX]
        digest = self.ports.hasher.digest(text.encode())
        key = self.tools.admin.directory.api_key(digest) if text else None
        if key is None or key.account_id != account_id or key.valid_until_us <= self.ports.clock.now_us():
            return None
        return key, Secret(text)

    def show(self, request: Asked, account_id: UUID, *, status: int = 200, **context: Any) -> Response[str]:
        directory, now_us = self.tools.admin.directory, self.ports.clock.now_us()
        allowed = directory.accounts[account_id].limits.models
        models = [one for one in looking.chat_names(directory, now_us) if allowed is None or one in allowed]
        key = self.key_of(request, account_id)
        values: dict[str, Any] = {
            "models": models,
            "chosen": models[:1],
            "answers": (),
            "filled": {},
            "problem": None,
            "key": key[0] if key else None,
            "is_there": self.tools.chat is not None,
            "models_max": MODELS_MAX,
            "tokens_max": TOKENS,
        }
        return self.pages.page(request, "workspace/playground.html", status=status, **(values | context))

    def cookie(self, account_id: UUID, value: str, *, max_age: int) -> Cookie:
        return Cookie(
            key=COOKIE,
            value=value,
            max_age=max_age,
            path=f"/app/{account_id}/playground",
            httponly=True,
            samesite="strict",
            secure=self.tools.is_secure,
        )

    def text(self, request: Asked, message: str) -> str:
        """In the visitor's language."""
        return self.pages.text(visit_of(request), message)

    def issue(self, request: Asked, account_id: UUID) -> str:
        """Blocking."""
        command = issue_key.IssueKey(
            account_id=account_id,
            name=KEY_NAME,
            expires_us=self.ports.clock.now_us() + KEY_HOURS * 3600 * 1_000_000,
            rpm=_LIMITS.rpm,
            concurrency=_LIMITS.concurrency,
        )
        made = issue_key.handle(command, actor=visit_of(request).member, ports=self.ports)
        return made.secret.reveal()

    def revoke(self, request: Asked, key_id: UUID) -> None:
        """Blocking."""
        command = revoke_key.RevokeKey(key_id=key_id, reason="the playground was left")
        revoke_key.handle(command, actor=visit_of(request).member, ports=self.ports)

    async def whole(self, one: Question, secret: Secret, *, nobody: str) -> Answer:
        """An answer when it is all there; `nobody` is what is said where no gateway answers."""
        try:
            async with self.gateway.chat(one.body(stream=False), secret=secret) as reply:
                return answer_of(one.model, reply.status, await _read(reply))
        except GatewayAway:
            return Answer(model=one.model, problem=nobody)


def playground_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/playground`."""
    playground = Playground(pages)

    @get("/app/{account_id:uuid}/playground", opt=_READ)
    async def show_playground(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        return playground.show(request, account_id)

    @post("/app/{account_id:uuid}/playground/start", opt=_KEYS)
    async def start(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        _ = playground.gateway
        secret = await asyncio.to_thread(playground.issue, request, account_id)
        await pages.tools.refresh()
        response = pages.see(f"/app/{account_id}/playground")
        response.set_cookie(playground.cookie(account_id, secret, max_age=KEY_HOURS * 3600))
        return response

    @post("/app/{account_id:uuid}/playground/end", opt=_KEYS)
    async def end(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        key = playground.key_of(request, account_id)
        if key is not None:
            await asyncio.to_thread(playground.revoke, request, key[0].key_id)
            await pages.tools.refresh()
        response = pages.see(f"/app/{account_id}/playground", Flash("done"))
        response.set_cookie(playground.cookie(account_id, "", max_age=0))
        return response

    return [show_playground, start, end, *_asking_routes(playground)]


def _asking_routes(playground: Playground) -> list[HTTPRouteHandler]:

    @post("/app/{account_id:uuid}/playground", opt=_KEYS)
    async def ask_all(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        """Without a script: every chosen model at once, and the page again with their answers."""
        form, key = await request.form(), playground.key_of(request, account_id)
        models = list(dict.fromkeys(str(one) for one in form.getall("model", []) if one))[:MODELS_MAX]
        filled = {name: str(form.get(name, "")) for name in ("system", "prompt", "tokens_max", "temperature")}
        if key is None or not models:
            return playground.show(request, account_id, filled=filled, chosen=models)
        try:
            questions = [_question(model, filled) for model in models]
        except BadField as refusal:
            return playground.show(
                request, account_id, status=_BAD_REQUEST, filled=filled, chosen=models, problem=refusal.code
            )
        nobody = playground.text(request, _NOBODY)
        answers = await asyncio.gather(*(playground.whole(one, key[1], nobody=nobody) for one in questions))
        return playground.show(request, account_id, answers=answers, filled=filled, chosen=models)

    @post("/app/{account_id:uuid}/playground/ask", opt=_KEYS)
    async def ask_one(request: Asked, account_id: FromPath[UUID]) -> Response[Any]:
        """For a script: one model, and its answer as the gateway streams it, byte for byte."""
        form, key = await request.form(), playground.key_of(request, account_id)
        if key is None:
            return _refused(playground.text(request, _ENDED))
        try:
            asked = question(
                str(form.get("model", "")),
                conversation(str(form.get("messages", ""))),
                tokens_max=str(form.get("tokens_max", "")),
                temperature=str(form.get("temperature", "")),
            )
        except BadField as refusal:
            return _refused(f"{playground.text(request, REFUSALS[refusal.code])} {refusal}")
        return Stream(
            _streamed(playground.gateway, asked, key[1], nobody=playground.text(request, _NOBODY)),
            media_type=_SSE,
            headers={**HEADERS, "x-accel-buffering": "no"},
        )

    return [ask_all, ask_one]


def _question(model: str, filled: dict[str, str]) -> Question:
    said = [Said("system", filled["system"])] if filled["system"].strip() else []
    return question(
        model,
        (*said, Said("user", filled["prompt"])),
        tokens_max=filled["tokens_max"],
        temperature=filled["temperature"],
    )


def _refused(message: str) -> Response[bytes]:
    """Before anything was asked."""
    return Response(_problem(message), status_code=_BAD_REQUEST, media_type=_SSE, headers=HEADERS)


async def _streamed(
    gateway: ChatGateway, asked: Question, secret: Secret, *, nobody: str
) -> AsyncIterator[bytes]:
    """Events as the gateway sends them; an error is one more event. Who stops reading closes the connection to the gateway."""
    try:
        async with gateway.chat(asked.body(stream=True), secret=secret) as reply:
            if reply.status == _OK:
                async for chunk in reply.chunks:
                    yield chunk
            else:
                yield _problem(problem_of(reply.status, await _read(reply)))
    except GatewayAway:
        yield _problem(nobody)


async def _read(reply: Reply) -> bytes:
    """The whole answer, up to a bound."""
    body = b""
    async for chunk in reply.chunks:
        body += chunk
        if len(body) > _ANSWER_BYTES_MAX:
            break
    return body


def _problem(message: str) -> bytes:
    return b"data: " + msgspec.json.encode({"error": {"message": message}}) + b"\n\n"
