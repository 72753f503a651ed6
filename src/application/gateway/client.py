"""The port to one HTTP client of ours, and what a request is made of before its body was understood."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

Headers = Sequence[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client closed its connection; nothing can be sent to it any more."""


class BodyTooLarge(Exception):
    """The request body is larger than allowed; the rest was not read."""


class BodyTooSlow(Exception):
    """The request body did not arrive in time; the rest was not read."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What the transport knows of a request. `started_s` is monotonic."""

    request_id: UUID
    secret: bytes | None  #: the API key as sent, None when there is none or more than one
    client_ref: str | None  #: the client's own `x-client-request-id`, printable and bounded
    started_s: float
    idempotency_key: bytes | None = None  #: as sent; empty when there is more than one
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Those that may change what is asked of a provider: names in lower case, from a list of the transport."""


class Client(Protocol):
    """One request's client. All methods belong to the event loop; sending to a client that left does nothing."""

    @property
    def gone(self) -> bool:
        """The client has closed its connection."""
        ...

    async def body(self) -> bytes:
        """The whole request body.

        Raises:
            BodyTooLarge, BodyTooSlow, ClientGone: the body was not read to its end.
        """
        ...

    def pieces(self, *, bytes_max: int) -> AsyncGenerator[bytes, None]:
        """The request body as it comes, instead of `body`; to its end or until this raises.

        Raises:
            BodyTooLarge, BodyTooSlow, ClientGone: the body was not read to its end.
        """
        ...

    def watch(self, on_gone: Callable[[], None], *, write_s: float) -> None:
        """From now on notice at once when the client leaves, and call `on_gone` once then.

        A client that takes nothing of what is sent for `write_s` counts as gone as well; one send may wait for half
        of that longer. Only the task that calls `start` may send.
        """
        ...

    async def start(self, status: int, headers: Headers) -> None:
        """Send the head of the answer."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a part of the body; waits while the client does not keep up, and returns when it is given up."""
        ...

    async def end(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        ...
