"""Addresses that customers type: https, outside, and as they were typed."""

import pytest

from domain.catalogue.addresses import NOTHING_PRIVATE, Allowlist
from domain.hooks.address import checked_address
from domain.refusal import BadField


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com", b"/"),
        ("https://hooks.example.com/", b"/"),
        ("https://hooks.example.com/in/", b"/in/"),
        ("https://hooks.example.com:8443/in/v1", b"/in/v1"),
    ],
)
def test_a_path_is_kept_as_it_was_typed(url: str, target: bytes) -> None:
    """A slash at its end too: some receivers answer with a redirect without it, which nobody follows."""
    base, found = checked_address(url, NOTHING_PRIVATE)
    assert (base.host, found) == ("hooks.example.com", target)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/in",
        "https://localhost/in",
        "https://127.0.0.1/in",
        "https://127.1/in",
        "https://0x7f000001/in",
        "https://2130706433/in",
        "https://[::1]/in",
        "https://[::ffff:127.0.0.1]/in",
        "https://[fd00:ec2::254]/in",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/in",
        "https://metadata.google.internal/in",
        "https://a@hooks.example.com/in",
        "https://hooks.example.com./in",
        "https://hooks.example.com/in?token=x",
        "https://hooks.example.com/in#x",
        "https://hooks.example.com/../in",
        "https://hooks.example.com//in",
        "https://hooks.example.com\\@127.0.0.1/in",
        "https://hooks.exämple.com/in",
        "ftp://hooks.example.com/in",
        "hooks.example.com/in",
        "",
    ],
)
def test_what_points_inside_or_could_be_read_in_two_ways_is_refused(url: str) -> None:
    """With the name of the field, and no word of what was typed."""
    with pytest.raises(BadField, match=r"^url "):
        checked_address(url, NOTHING_PRIVATE)


def test_what_operators_may_reach_is_another_matter() -> None:
    """Only the list for endpoints opens private addresses, also for http."""
    allowed = Allowlist.parse("127.0.0.1")
    base, target = checked_address("http://127.0.0.1:9/in", allowed)
    assert (base.origin, target) == ("http://127.0.0.1:9", b"/in")
