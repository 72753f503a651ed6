"""Passes one stream on from its deployment to the client, up to the end, which waits for the charge."""

from typing import Final

from application.dialects.port import Relay
from application.gateway.attempts import Attempts
from application.gateway.calling import Opened
from application.gateway.client import Client
from application.upstream import UpstreamError, UpstreamTooSlow
from application.wire.relay import PING, Tail

RUNAWAY_CHARS: Final = 4_096
RUNAWAY_CHARS_PER_TOKEN: Final = 32
"""An answer longer than this is cut. Texts have three to five characters a token, runs of blanks some dozens."""
_RUNAWAY_CHECK_BYTES: Final = 64 * 1024


class Stream:
    """One stream that a deployment has begun."""

    __slots__ = ("_attempts", "_idle_s", "_opened", "relay")

    def __init__(self, opened: Opened, relay: Relay, attempts: Attempts) -> None:
        self.relay = relay
        self._opened = opened
        self._attempts = attempts
        self._idle_s = attempts.idle_s(opened)

    async def first_bytes(self) -> bytes | None:
        """The first bytes that may go to the client; None if the stream failed before there were any."""
        opened, relay, attempts = self._opened, self.relay, self._attempts
        try:
            while not relay.done:
                piece = await opened.response.receive(idle_s=self._idle_s)
                if not piece:
                    break
                first = relay.feed(piece)
                if first:
                    return first
                if relay.fault is not None:
                    attempts.fail_with(opened, relay.error_body)
                    return None
        except UpstreamError as error:
            attempts.fail_by(opened, error)
            return None
        if relay.chunks:
            return b""  # all of it is withheld until the charge is durable
        attempts.fail_with(opened, b"")
        return None

    async def rest(self, client: Client, *, ping_s: float, output_tokens: int) -> Tail:
        """Pass everything on but for what is withheld: that comes back, for after the charge.

        A stream that goes on far beyond `output_tokens`, what was asked for and paid, is left.
        """
        try:
            is_runaway = await self._pass_on(client, ping_s, output_tokens)
        except UpstreamTooSlow:
            return Tail(b"", complete=False, fault="too_slow")
        except UpstreamError:
            return Tail(b"", complete=False, fault="truncated")
        return Tail(b"", complete=False, fault="stream_too_long") if is_runaway else self.relay.finish()

    async def _pass_on(self, client: Client, ping_s: float, output_tokens: int) -> bool:
        """Returns whether the answer was left."""
        receive, relay, idle_s = self._opened.response.receive, self.relay, self._idle_s
        pings_s = None if self._opened.asked.takes == "sound" else ping_s
        unchecked_bytes = 0
        while not relay.done and relay.fault is None:
            piece = await receive(idle_s=idle_s, ping_s=pings_s)
            if piece is None:
                await client.send(PING)
                continue
            if not piece:
                break
            forward = relay.feed(piece)
            if forward:
                await client.send(forward)
            unchecked_bytes += len(piece)
            if unchecked_bytes > _RUNAWAY_CHECK_BYTES:
                unchecked_bytes = 0
                if _is_runaway(relay, output_tokens):
                    return True
        return False


def _is_runaway(relay: Relay, output_tokens: int) -> bool:
    """A bound that the provider does not keep to is our loss: nobody is charged above the hold."""
    most = RUNAWAY_CHARS + RUNAWAY_CHARS_PER_TOKEN * output_tokens
    return output_tokens > 0 and relay.spoken().chars_total > most
