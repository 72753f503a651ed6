"""A provider as it can be asked whether it is well, before any deployment of it is known."""

from typing import Final
from uuid import UUID

import msgspec

from application.directory_routes import AUTH_HEADERS
from application.routing.probe import Probe, Probed
from application.upstream import ParsedUrl
from domain.catalogue.base_url import BaseUrl
from domain.catalogue.provider import Dialect, UsageDialect
from domain.health.probe import ProbeOutcome
from domain.secret import Secret

_MAY_NOT_LIST: Final = 403
_WORDS: Final[dict[ProbeOutcome, str]] = {
    "ok": "The provider answers and takes the secret.",
    "auth": "The provider refuses the secret.",
    "funds": "The provider takes the secret, and says that its account has no money.",
    "rate": "The provider answers, and has no room for a request now.",
    "overloaded": "The provider answers that it is overloaded.",
    "timeout": "The provider did not answer in time.",
    "unreachable": "The provider cannot be reached from here.",
    "unexpected": "Something answers, but not as this provider's list of models would.",
}


class ProviderPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A `ProbeTarget`: where a provider is, what it speaks, and a secret for it."""

    dialect: Dialect
    usage_dialect: UsageDialect
    base_url: BaseUrl
    secret: Secret | None  #: none for one that asks for none

    @property
    def auth_header(self) -> bytes:
        return AUTH_HEADERS[self.dialect][0]

    @property
    def authorization(self) -> bytes | None:
        if self.secret is None:
            return None
        return AUTH_HEADERS[self.dialect][1] + self.secret.reveal().encode()

    def url(self, path: bytes) -> ParsedUrl:
        base = self.base_url
        return ParsedUrl(base.scheme, base.host, base.port, base.path.encode() + path)


class CredentialProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What one probe says of a credential. Nothing of the provider's answer is in it."""

    credential_id: UUID | None  #: none: it was asked without a secret
    works: bool
    outcome: ProbeOutcome
    status: int  #: of its answer; 0 if none came
    took_ms: int
    words: str

    @property
    def is_refused(self) -> bool:
        """The provider knows no such secret. One that may not list models may serve all the same."""
        return self.outcome == "auth" and self.status != _MAY_NOT_LIST


def asked(probe: Probe, place: ProviderPlace, credential_id: UUID | None) -> CredentialProbe:
    """Probe once. Blocking."""
    said: Probed = probe(place)
    return CredentialProbe(
        credential_id=credential_id,
        works=said.outcome == "ok",
        outcome=said.outcome,
        status=said.status,
        took_ms=said.took_ms,
        words=_WORDS[said.outcome],
    )
