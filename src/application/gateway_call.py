"""Port to a request through the gateway, made for an operator who wants to see that everything works."""

from typing import Protocol

import msgspec

from domain.secret import Secret


class CallTried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; status 0 if nobody answered. What was said is shown once and kept nowhere."""

    status: int
    took_ms: int
    said: str = ""
    request_id: str = ""
    provider: str = ""
    charge: str = ""  #: in credits, as the gateway tells it

    @property
    def works(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  what HTTP calls success


class TryCall(Protocol):
    """Blocking, up to a minute. It never raises, and the request is charged like any other."""

    def __call__(self, secret: Secret, model: str, /) -> CallTried: ...
