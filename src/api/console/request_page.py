"""One request with everything that is known of it: for operators, and for the customer whose it is."""

from typing import Any
from uuid import UUID

from api.admin.views import names_of
from api.console.pages import Pages
from domain.refusal import NotFound


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
    return {
        "row": row,
        "attempts": detail.attempts,
        "review": detail.review,
        "names": names_of(tools.ports, ids),
        "price": price,
    }
