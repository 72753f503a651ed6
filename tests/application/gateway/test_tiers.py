"""The service tier that a provider tells is read where the provider writes it, and nowhere else."""

import pytest

from application.gateway.tiers import charged_tier_ppm, told_tier
from domain.pricing import Price
from tests.application.gateway.exchange_world import PRICE

TIERS = Price(
    **{name: getattr(PRICE, name) for name in PRICE.__struct_fields__ if name != "service_tiers"},
    service_tiers={"flex": 500_000, "priority": 2_000_000},
)


@pytest.mark.parametrize(
    ("said", "usage", "told"),
    [
        (b'{"service_tier":"flex"}', None, "flex"),
        (b' {"usage":{"service_tier":"priority"}}', None, "priority"),
        (b'data: {"service_tier":"flex"}\n\ndata: {"choices":[]}\n\ndata: [DONE]\n\n', None, "flex"),
        (b'data: {"response":{"service_tier":"priority"}}\n\n', None, "priority"),
        (b"data: [DONE]\n\n", b'{"service_tier":"standard"}', "standard"),
        (b'{"metadata":{"service_tier":"flex"},"choices":[{"service_tier":"flex"}]}', None, None),
        (b'{"content":"\\"service_tier\\":\\"flex\\""}', None, None),
        (b'{"service_tier":null}', b"{}", None),
        (b'{"service_tier":7}', None, None),
        (b"{", b"[", None),
        (b"", None, None),
    ],
)
def test_a_tier_is_read_at_its_own_places_only(said: bytes, usage: bytes | None, told: str | None) -> None:
    """What a client wrote may be in an answer as well."""
    assert told_tier(said, usage) == told


@pytest.mark.parametrize(
    ("asked", "told", "ppm"),
    [
        ("flex", "flex", 500_000),
        ("flex", "default", 1_000_000),
        ("flex", None, 500_000),
        ("", "priority", 2_000_000),
        ("auto", None, 1_000_000),
        ("priority", "standard", 1_000_000),
    ],
)
def test_what_is_told_decides_and_what_was_asked_stands_in(asked: str, told: str | None, ppm: int) -> None:
    """A tier without a factor is the ordinary one."""
    assert charged_tier_ppm(asked, told, TIERS) == ppm
