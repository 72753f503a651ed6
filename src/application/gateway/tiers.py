"""Which service tier a provider says that it used. It decides the factor of a charge where the price lists tiers.

Only members that the provider writes are read, each at its own place: what a client wrote may be in an answer as well.
"""

from typing import Any, Final

import msgspec

from domain.pricing import NO_MARKUP_PPM, Price

_DATA: Final = b"data:"


class _Told(msgspec.Struct):
    service_tier: Any = None
    usage: Any = None
    response: Any = None


_decode: Final = msgspec.json.Decoder(_Told).decode


def charged_tier_ppm(asked: str, told: str | None, price: Price) -> int:
    """By what was told; by what was asked for where nothing was. A tier without a factor is the ordinary one."""
    return price.service_tiers.get(asked if told is None else told, NO_MARKUP_PPM)


def told_tier(said: bytes, usage_raw: bytes | None) -> str | None:
    """Of a document, or of the last events of a stream, or of a usage object; none if they say nothing."""
    if said.lstrip().startswith(b"{"):
        found = _tier_in(said)
    else:
        lines = [line for line in said.splitlines() if line.startswith(_DATA)]
        told = (_tier_in(line.removeprefix(_DATA)) for line in reversed(lines))
        found = next((tier for tier in told if tier is not None), None)
    if found is None and usage_raw:
        found = _tier_in(usage_raw)
    return found


def _tier_in(document: bytes) -> str | None:
    try:
        told = _decode(document)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    for holder in (told.service_tier, _member(told.response), _member(told.usage)):
        if isinstance(holder, str):
            return holder
    return None


def _member(value: Any) -> Any:
    return value.get("service_tier") if isinstance(value, dict) else None
