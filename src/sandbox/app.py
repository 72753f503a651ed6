"""The sandbox itself: routes requests, decides each answer, keeps the journal in step with what is sent.

The common case (no script in force, a small answer) goes out in one write from a template made once per distinct body;
only the id, the time and the journal are new. Everything else runs as an `Exchange`.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from sandbox import calls, chat, embeddings, models
from sandbox.answer import Answer, ChatAnswer, EmbeddingAnswer
from sandbox.calls import Call
from sandbox.chat import Stamp
from sandbox.connection import Connection
from sandbox.control import Control
from sandbox.errors import Refused
from sandbox.exchange import Exchange, Gone
from sandbox.faults import FAULT_NAMES, FAULTS, check, fits
from sandbox.journal import Journal
from sandbox.lru import Lru
from sandbox.messages import Request, plain
from sandbox.others import MAKERS
from sandbox.others.made import MadeAnswer
from sandbox.rules import RuleBook
from sandbox.script import EMPTY, Script
from sandbox.senders import send_normally
from sandbox.templates import ID_CHARS, Kept, Templates
from sandbox.tokens import Tokens

KEPT_BODY_BYTES_MAX: Final = 64 * 1024
KEPT_MAX: Final = 512
THREAD_BODY_BYTES: Final = 256 * 1024
"""Above it, counting tokens takes more than some 20 ms and moves off the event loop."""


class Sandbox:
    """Handles every connection's requests. `tokens` arrives when the vocabulary is read; until then `/v1` says 503."""

    def __init__(self, *, api_key: str | None, journal: Journal) -> None:
        self.connections: set[Connection] = set()
        self.tokens: Tokens | None = None
        self._bearer = None if api_key is None else f"Bearer {api_key}".encode()
        self._journal = journal
        self._rules = RuleBook(fits)
        self._control = Control(journal, self._rules)
        self._templates = Templates()
        self._kept: Lru[bytes, Kept] = Lru(KEPT_MAX)
        self._nonce = secrets.token_hex(4)
        self._served = 0

    def handle(self, connection: Connection, request: Request) -> None:
        """Answer one request (see `connection.Handler`)."""
        self._served += 1
        id_ = f"{self._nonce}{self._served:0{ID_CHARS - 8}x}"
        try:
            self._route(connection, request, id_)
        except Refused as error:
            self._refuse(connection, request, id_, error)

    def _route(self, connection: Connection, request: Request, id_: str) -> None:
        if self._bearer is not None and not hmac.compare_digest(request.authorization or b"", self._bearer):
            raise Refused(401, "Incorrect API key provided.", code="invalid_api_key")
        post = request.method == b"POST"
        if post and request.path == b"/v1/chat/completions":
            self._chat(connection, request, id_, self._ready())
        elif post and request.path == b"/v1/embeddings":
            tokens = self._ready()
            connection.run(lambda: self._embed(connection, request, id_, tokens))
        elif post and request.path in MAKERS:
            ready = self._ready()
            connection.run(lambda: self._make(connection, request, id_, ready))
        elif request.path == b"/v1/models" or request.path.startswith(b"/v1/models/"):
            self._models(connection, request, id_)
        elif request.path.startswith(b"/_sandbox/"):
            self._reply(connection, request, id_, 200, self._control.answer(request))
        else:
            raise Refused(404, "Unknown request URL.", code="unknown_url")

    def _ready(self) -> Tokens:
        if self.tokens is None:
            raise Refused(503, "The vocabulary is still being read.", code="not_ready", type_="server_error")
        return self.tokens

    def _reply(self, connection: Connection, request: Request, id_: str, status: int, body: bytes) -> None:
        whole = plain(status, body, id_=id_, close=not request.keep_alive)
        connection.write(whole, keep_alive=request.keep_alive)

    def _refuse(self, connection: Connection, request: Request, id_: str, error: Refused) -> None:
        journalled = request.path.startswith(b"/v1/")
        if journalled:
            self._accepted(request, id_, None, EMPTY)
        self._reply(connection, request, id_, error.status, error.body())
        if journalled:
            self._finished(request, id_, None, status=error.status, complete=True)

    def _models(self, connection: Connection, request: Request, id_: str) -> None:
        if request.method != b"GET":
            raise Refused(
                405, f"Not allowed to {request.method.decode('latin-1')} here.", code="method_not_allowed"
            )
        name = unquote_to_bytes(request.path.removeprefix(b"/v1/models").removeprefix(b"/")).decode(
            "utf-8", "replace"
        )
        if name and models.script_of(name, FAULT_NAMES) is None:
            raise Refused(404, f"The model '{name}' does not exist", code="model_not_found", param="model")
        shown = models.described(name) if name else models.listing()
        self._accepted(request, id_, None, EMPTY)
        self._reply(connection, request, id_, 200, msgspec.json.encode(shown))
        self._finished(request, id_, None, status=200, complete=True)

    # Chat.

    def _chat(self, connection: Connection, request: Request, id_: str, tokens: Tokens) -> None:
        digest = hashlib.blake2b(request.body, digest_size=16).digest()
        kept = self._kept.get(digest)
        if kept is None:
            if len(request.body) > THREAD_BODY_BYTES:
                connection.run(lambda: self._chat_in_thread(connection, request, id_, tokens))
                return
            kept = self._understood(request.body, tokens)
            if kept.call.echo is None and len(request.body) <= KEPT_BODY_BYTES_MAX:
                self._kept.put(digest, kept)
        ready = kept.prepared
        if ready.template is not None and not self._rules and request.keep_alive and request.chunks_allowed:
            self._accepted(request, id_, kept.call, EMPTY)
            connection.write(self._templates.stamped(ready.template, id_), keep_alive=True)
            self._finished(
                request, id_, kept.call, status=200, complete=True,
                usage=ready.usage, reported=ready.reported, tokens_sent=ready.tokens,
            )  # fmt: skip
        else:
            answer = self._chat_answer(kept.call, id_, tokens)
            connection.run(lambda: self._exchange(connection, request, id_, answer, kept.call))

    def _understood(self, body: bytes, tokens: Tokens) -> Kept:
        call = calls.chat(body, tokens, FAULT_NAMES)
        check(call.script, stream=call.stream)
        return self._templates.keep(call, tokens)

    def _chat_answer(self, call: Call, id_: str, tokens: Tokens) -> ChatAnswer:
        script = self._ruled(call)
        return ChatAnswer(chat.plan(call, script, tokens), Stamp(id_, int(time.time())), script)

    def _ruled(self, call: Call) -> Script:
        """The call's own script over that of the standing rule that hits, if one does."""
        rule = self._rules.pick(call.model, stream=call.stream) if self._rules else None
        return call.script if rule is None else call.script.over(rule)

    async def _chat_in_thread(
        self, connection: Connection, request: Request, id_: str, tokens: Tokens
    ) -> bool:
        try:
            kept = await asyncio.to_thread(self._understood, request.body, tokens)
            answer = self._chat_answer(kept.call, id_, tokens)
        except Refused as error:
            self._refuse(connection, request, id_, error)
            return request.keep_alive
        return await self._exchange(connection, request, id_, answer, kept.call)

    # Embeddings.

    async def _embed(self, connection: Connection, request: Request, id_: str, tokens: Tokens) -> bool:
        try:
            call, asked = await asyncio.to_thread(calls.embedding, request.body, tokens, FAULT_NAMES)
            check(call.script, stream=False)
            whole = await asyncio.to_thread(embeddings.answer, asked, prompt_tokens=call.prompt_tokens)
        except Refused as error:
            self._refuse(connection, request, id_, error)
            return request.keep_alive
        return await self._exchange(connection, request, id_, EmbeddingAnswer(whole, self._ruled(call)), call)

    # What is beside them.

    async def _make(self, connection: Connection, request: Request, id_: str, tokens: Tokens) -> bool:
        try:
            made = await asyncio.to_thread(MAKERS[request.path], request.body, tokens)
            merged, ref = calls.model_script(made.model, made.metadata, FAULT_NAMES)
            call = Call(
                model=made.model, seed=b"", prompt_tokens=0, script=merged, ref=ref, stream=bool(made.events)
            )
            check(call.script, stream=call.stream)
        except Refused as error:
            self._refuse(connection, request, id_, error)
            return request.keep_alive
        return await self._exchange(connection, request, id_, MadeAnswer(made, self._ruled(call)), call)

    # Every answer that takes its time.

    async def _exchange(
        self, connection: Connection, request: Request, id_: str, answer: Answer, call: Call
    ) -> bool:
        """Send step by step; the journal gets its second line however it ends. Says whether the connection goes on."""
        out = Exchange(connection, request, id_)
        self._accepted(request, id_, call, answer.script)
        try:
            fault = answer.script.fault
            await (send_normally(out, answer) if fault is None else FAULTS[fault].run(out, answer))
        except Gone:
            return False
        finally:
            self._finished(
                request,
                id_,
                call,
                status=out.status,
                complete=out.complete and not connection.lost,
                usage=answer.usage if out.worked else None,
                reported=out.reported,
                tokens_sent=out.tokens_sent,
            )
        return out.keep_alive

    # The journal.

    def _accepted(self, request: Request, id_: str, call: Call | None, script: Script) -> None:
        self._journal.accepted(
            id_=id_,
            path=request.path.decode("latin-1"),
            body_bytes=len(request.body),
            model=None if call is None else call.model,
            stream=call is not None and call.stream,
            fault=script.fault,
            ref=None if call is None else call.ref,
            request_id=_reference(request),
        )

    def _finished(
        self,
        request: Request,
        id_: str,
        call: Call | None,
        *,
        status: int | None,
        complete: bool,
        usage: Any = None,
        reported: Any = None,
        tokens_sent: int = 0,
    ) -> None:
        self._journal.served(
            id_=id_,
            ref=None if call is None else call.ref,
            request_id=_reference(request),
            status=status,
            complete=complete,
            usage=usage,
            reported=reported,
            tokens_sent=tokens_sent,
        )


def _reference(request: Request) -> str | None:
    return None if request.request_id is None else request.request_id[:200].decode("latin-1")
