"""One request with everything that is known of it: for operators, and for the customer whose it is."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from api.admin.views import names_of
from api.console import looking
from api.console.headers import HEADERS
from api.console.pages import Pages
from api.console.refused_page import day_of
from application.receipts.issuing import Issued
from domain.refusal import NotFound


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """The id of a request as somebody has typed it. `request_id` is none where there is no such request."""

    text: str
    request_id: UUID | None
    day: str  #: of the call, as its id tells; empty if it does not


def sought_request(pages: Pages, text: str, *, zone: str, account_id: UUID | None = None) -> Sought | None:
    """None where nothing was typed. Blocking."""
    text = text.strip()
    if not text:
        return None
    request_id = looking.uuid_of(text)
    detail = None if request_id is None else pages.tools.admin.requests.request(request_id)
    is_there = detail is not None and (account_id is None or detail.request.account_id == account_id)
    made_us = 0 if request_id is None else looking.made_us(request_id)
    return Sought(
        text=text,
        request_id=request_id if is_there else None,
        day=day_of(made_us, zone) if made_us else "",
    )


def receipt_file(issued: Issued, request_id: UUID) -> Response[bytes]:
    """As `tokenok receipt verify` takes it."""
    name = f'attachment; filename="receipt-{request_id}.json"'
    body = msgspec.json.format(msgspec.json.encode(issued), indent=2)
    return Response(body, media_type="application/json", headers={**HEADERS, "content-disposition": name})


def request_context(pages: Pages, request_id: UUID, *, account_id: UUID | None = None) -> dict[str, Any]:
    """Blocking.

    Raises:
        NotFound: there is no such request, or not of this account.
    """
    tools = pages.tools.admin
    detail = tools.requests.request(request_id)
    if detail is None or (account_id is not None and detail.request.account_id != account_id):
        raise NotFound("request", request_id)
    row = detail.request
    ids = [one for one in (row.key_id,) if one is not None]
    prices = tools.directory.prices.get(row.alias or "", ())
    price = next((one for one in prices if one.version == row.price_version), None)
    above = "/console" if account_id is None else f"/app/{account_id}"
    return {
        "row": row,
        "request_path": f"{above}/requests/{request_id}",
        "attempts": detail.attempts,
        "review": detail.review,
        "names": names_of(tools.ports, ids),
        "price": price,
    }
