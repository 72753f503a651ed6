"""TLS towards upstreams: verified always, TLS 1.2 at least, sessions resumed."""

import ssl
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final, Self

_SESSIONS_MAX: Final = 1024


class ResumingContext(ssl.SSLContext):
    """An SSL context that offers the last session of a host again: a full handshake costs a round trip and a signature.

    Event loops have no argument for a session, but both make their TLS objects by `wrap_bio`. A session is kept by
    the name that the certificate was checked for, and offered to that name only, wherever it resolves to.
    """

    _sessions: OrderedDict[str, ssl.SSLSession]

    def __new__(cls) -> Self:
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context._sessions = OrderedDict()
        return context

    def remember(self, host: str, session: ssl.SSLSession) -> None:
        self._sessions[host] = session
        self._sessions.move_to_end(host)
        if len(self._sessions) > _SESSIONS_MAX:
            self._sessions.popitem(last=False)

    def forget(self, host: str) -> None:
        """After a failed handshake: the next one starts from nothing."""
        self._sessions.pop(host, None)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002  # the signature of the base class
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> Any:
        if session is None and isinstance(server_hostname, str):
            session = self._sessions.get(server_hostname)
        return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)


def make_tls_context(*, ca_file: Path | None = None) -> ResumingContext:
    """Trust the system's authorities, or only those in `ca_file` (PEM)."""
    context = ResumingContext()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=ca_file)
    return context
