"""Witnesses as settings name them, and the call of one over HTTP.

Addresses are judged as providers' base URLs are, when they are read and again at every connect: a witness is out on the
internet unless `ALLOW_PRIVATE_UPSTREAMS` has it. Redirects are not followed.
"""

import asyncio
import re
from typing import Final

from adapters.upstream.client import UpstreamClient
from adapters.upstream.dial import resolve_by_system
from adapters.upstream.egress import checked
from application.sealing.submission import BODY_BYTES_MAX, PATH
from application.sealing.witnessing import WitnessAddress, WitnessAnswer, WitnessAway
from application.upstream import UpstreamError, UpstreamRequest, parse_url
from domain.catalogue.addresses import Allowlist
from domain.catalogue.base_url import checked_base_url
from domain.refusal import BadField
from domain.sealing.cosignatures import witness_key
from domain.sealing.notes import BadKey

_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 10.0
_PARTS: Final = 2


def parse_witnesses(text: str, *, allowlist: Allowlist) -> tuple[WitnessAddress, ...]:
    """Read the setting `WITNESSES`: `URL KEY` for each, with commas or line ends between them.

    Raises:
        BadKey: an entry has another form, a key or address cannot be used, or one stands there twice.
    """
    found = []
    for entry in filter(None, map(str.strip, re.split(r"[,\n]+", text))):
        parts = entry.split()
        if len(parts) != _PARTS:
            raise BadKey("a witness is written as its URL and its public key, with a blank between")
        try:
            url = checked_base_url(parts[0], allowlist=allowlist).text
        except BadField as error:
            raise BadKey(f"the address of a witness {error}") from None
        found.append(WitnessAddress(url, witness_key(parts[1])))
    if len({one.key for one in found}) < len(found):
        raise BadKey("a witness stands there twice")
    return tuple(found)


class WitnessClient:
    """Implements `application.sealing.witnessing.Submit`. Blocking; one at a time."""

    def __init__(self, allowlist: Allowlist) -> None:
        self._allowlist = allowlist

    def __call__(self, url: str, body: bytes) -> WitnessAnswer:
        return asyncio.run(self._post(url, body))

    async def _post(self, url: str, body: bytes) -> WitnessAnswer:
        upstream = UpstreamClient(resolve=checked(resolve_by_system, self._allowlist))
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"user-agent", b"tokenok")]
        request = UpstreamRequest(b"POST", parse_url(url + PATH), headers, body)
        try:
            response = await upstream.send(
                request, connect_s=_CONNECT_S, first_byte_s=_ANSWER_S, total_s=_ANSWER_S
            )
            answer = await response.read(BODY_BYTES_MAX, idle_s=_ANSWER_S)
            kind = dict(response.headers).get(b"content-type", b"")
            return WitnessAnswer(response.status, kind.decode("latin-1"), answer)
        except (UpstreamError, TimeoutError) as error:
            raise WitnessAway(getattr(error, "code", "upstream_timeout")) from error
        finally:
            await upstream.aclose()
