"""Where an endpoint may be: what customers type is an address that our servers will connect to."""

from domain.catalogue.addresses import Allowlist
from domain.catalogue.base_url import BaseUrl, checked_base_url
from domain.refusal import BadField


def checked_address(url: str, allowlist: Allowlist) -> tuple[BaseUrl, bytes]:
    """Where to connect to, and what to ask for there, as it was typed.

    By the one strict parser of provider's addresses, with an allowlist of its own: what operators may reach, customers may
    not. The addresses that the name resolves to are judged at each connection.

    Raises:
        BadField: it is no plain https URL, or points inside.
    """
    try:
        base = checked_base_url(url, allowlist=allowlist)
    except BadField as error:
        raise BadField("url", error.reason.replace("/v1", "/hooks")) from None
    path = url.partition("://")[2].partition("/")[2]
    return base, f"/{path}".encode()
