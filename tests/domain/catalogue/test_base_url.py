"""Where a provider may be: threats 1 and 2."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.upstream import parse_url
from domain.catalogue.addresses import Allowlist, is_public
from domain.catalogue.base_url import checked_base_url, parse_base_url
from domain.refusal import BadField

GOOD = [
    ("https://api.openai.com/v1", "https://api.openai.com", "api.openai.com", "/v1"),
    ("https://API.Example.com/", "https://api.example.com", "api.example.com", ""),
    ("https://api.example.com:8443/a/v4/", "https://api.example.com:8443", "api.example.com:8443", "/a/v4"),
    ("https://api.example.com:443", "https://api.example.com", "api.example.com", ""),
    ("https://8.8.8.8/v1", "https://8.8.8.8", "8.8.8.8", "/v1"),
    ("https://[2606:4700::1111]/v1", "https://[2606:4700::1111]", "[2606:4700::1111]", "/v1"),
    ("https://[2606:4700:0:0::1111]:444", "https://[2606:4700::1111]:444", "[2606:4700::1111]:444", ""),
    ("https://xn--mnchen-3ya.example/v1", "https://xn--mnchen-3ya.example", "xn--mnchen-3ya.example", "/v1"),
]


@pytest.mark.parametrize(("text", "origin", "authority", "path"), GOOD)
def test_a_public_url_is_taken_apart(text: str, origin: str, authority: str, path: str) -> None:
    """Origin, Host header and path follow from one parse; writing the URL again changes nothing."""
    url = checked_base_url(text)
    assert (url.origin, url.authority, url.path) == (origin, authority, path)
    assert parse_base_url(url.text) == url


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "192.0.0.8",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "240.0.0.1",
        "192.88.99.1",
        "[::1]",
        "[::]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[64:ff9b:1::1]",
        "[2001::1]",
        "[ff02::1]",
        "[fec0::1]",
        "localhost",
        "db.localhost",
        "metadata.google.internal",
        "printer.local",
        "redis",
        "nas.lan",
    ],
)
def test_what_lies_inside_is_refused(host: str) -> None:
    """Loopback, private, link-local, translated and reserved addresses, and names that only resolve inside."""
    with pytest.raises(BadField) as caught:
        checked_base_url(f"https://{host}/v1")
    assert "allowlist" in caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com",
        "ftp://a.example",
        "//a.example",
        "https:/a.example",
        "https://",
        "https://a@b.example",
        "https://a:b@c.example",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://127.1",
        "https://0x7f000001",
        "https://2130706433",
        "https://0177.0.0.1",
        "https://1.2.3",
        "https://a.example.",
        "https://münchen.example",
        "https://a..example",
        "https://-a.example",
        "https://a_b.example",
        "https://a.example:0",
        "https://a.example:65536",
        "https://a.example:",
        "https://a.example/a/../b",
        "https://a.example//b",
        "https://a.example/./b",
        "https://a.example\\b",
        "https://a.example/%2e%2e",
        "https://a.example/ b",
        "https://a.example\n",
        "https://[::1",
        "https://[x]",
        "https://[fe80::1%25eth0]",
        "https://[12345::]",
        "https://" + "a." * 130 + "example",
        "https://a.7",
        "https://a.example/" + "x" * 500,
        "https://256.1.1.1",
        "https://a.example/\x00",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(text: str) -> None:
    """User info, odd numbers, trailing dots, international names, escapes, backslashes."""
    with pytest.raises(BadField) as caught:
        parse_base_url(text)
    assert caught.value.field == "base_url"


def test_plain_http_needs_the_allowlist() -> None:
    """A credential never travels in the clear to a public host; whoever runs the server may allow a host by name."""
    with pytest.raises(BadField) as caught:
        checked_base_url("http://api.example.com/v1")
    assert "https" in caught.value.reason
    allowed = Allowlist.parse("api.example.com, 127.0.0.1,10.0.0.0/8 ,fd00::/8,llm.internal")
    for text in (
        "http://api.example.com/v1",
        "http://127.0.0.1:9000/v1",
        "http://10.9.8.7",
        "https://[fd12::1]/v1",
        "http://llm.internal:8000",
    ):
        assert checked_base_url(text, allowlist=allowed).text == text
    for text in ("http://127.0.0.2", "https://192.168.0.1", "http://other.internal"):
        with pytest.raises(BadField):
            checked_base_url(text, allowlist=allowed)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "a/b", "münchen.example"])
def test_a_wrong_allowlist_is_loud(text: str) -> None:
    """A typing error must not become a hole, nor a silent refusal."""
    with pytest.raises(BadField):
        Allowlist.parse(text)


def test_an_address_found_for_an_allowed_name_may_be_private() -> None:
    """At connect the allowlist speaks for the name or the address, and public ones need neither."""
    allowed = Allowlist.parse("llm.internal,10.0.0.0/8")
    inside, public = ipaddress.ip_address("192.168.0.1"), ipaddress.ip_address("8.8.8.8")
    assert allowed.permits("llm.internal", inside)
    assert allowed.permits("rebound.example", ipaddress.ip_address("10.1.1.1"))
    assert not allowed.permits("rebound.example", inside)
    assert Allowlist().permits("api.example.com", public)


@given(st.ip_addresses())
def test_every_public_address_is_global_to_the_library_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """We are only ever stricter than the standard library, and say the same of the mapped form."""
    assert not is_public(address) or address.is_global
    if isinstance(address, ipaddress.IPv4Address):
        assert is_public(ipaddress.IPv6Address(f"::ffff:{address}")) == is_public(address)


@pytest.mark.parametrize("text", [row[0] for row in GOOD])
def test_the_client_connects_to_what_was_checked(text: str) -> None:
    """The parser of the HTTP client reads the checked URL in the same way."""
    url = checked_base_url(text)
    read = parse_url(url.text)
    assert (read.scheme, read.host, read.port) == (url.scheme, url.host, url.port)
    assert read.authority().decode() == url.authority
    assert read.target == (url.path or "/").encode()
