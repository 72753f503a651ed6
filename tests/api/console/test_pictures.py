"""What is looked at in every language and width is every page that there is (`tools.console_shots`, `tests/browser`)."""

import re
from typing import Final

from tests.api.console.conftest import World
from tests.api.console.test_access import ANYBODY, HEALTH, served
from tools.console_shots import APP, ONES, OPEN, STAFF

#: Not pages: files to take along, ways through, and what only a link or a moment leads to.
NO_PAGES: Final = {
    "/app/{account_id}/settings/export",
    "/app/{account_id}/requests/{request_id}/receipt",
    "/console/requests/{request_id}/receipt",
    "/app/{account_id}/orders/{order_id}/invoice",
    "/app/{account_id}/orders/{order_id}/receipt",
    "/app/{account_id}/statements/{form}",
    "/app/{account_id}/documents/{document_id}/pdf",
    "/console/invoices/{document_id}/pdf",
    "/console/customers/{account_id}/statements/{form}",
    "/console/prices/{version}",  # the first version is in the list
    "/orders/{order_id}",
    "/console/work/{work_id}/file",
    "/sign-in/code",
    "/me/address/{secret}",
}


def test_no_page_is_forgotten(world: World) -> None:
    """A page that needs no id is in the list; one of a thing is found by a link of the page of all of them."""
    listed = {one.partition("?")[0] for one in (*OPEN, *STAFF)}
    listed |= {f"/app/{{account_id}}{one}".partition("?")[0] for one in APP}
    missing = []
    for method, path in served(world):
        if method != "GET" or (method, path) in ANYBODY | HEALTH or path in NO_PAGES | listed:
            continue
        example = re.sub(r"\{account_id\}", "00000000-0000-0000-0000-000000000001", path)
        example = re.sub(r"\{[^}]+\}", "00000000-0000-0000-0000-000000000002", example)
        if not any(one.search(example) for one in ONES.values()):
            missing.append(path)
    assert not missing, "\n".join(missing)
