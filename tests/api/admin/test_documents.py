"""Documents over the admin API and on the command line."""

import hashlib
import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pypdf

from tests.api.admin.conftest import World
from tests.api.admin.test_commands import get, opened, post
from tests.cli_runner import project

SELLER = {
    "legal_name": "Example GmbH",
    "address": ["1 Example Street"],
    "country": "DE",
    "tax_ids": [{"kind": "vat", "value": "DE123456789"}],
}
BUYER = {"buyer_name": "<b>Ada & 株式会社</b>", "address": ["2 Road"], "country": "DE"}
LINES = [{"description": "Prepaid credit", "amount_minor": 10000, "rate_ppm": 190000}]


def issued(world: World) -> dict[str, Any]:
    """An invoice, from nothing, as finance would."""
    account_id = opened(world)
    seller_id = post(world, "/sellers/set", SELLER, key="s-1", role="finance").json()["id"]
    for kind, prefix in (("invoice", "INV-"), ("credit_note", "CN-")):
        series = {"seller_id": seller_id, "kind": kind, "prefix": prefix}
        assert post(world, "/series/open", series, role="finance").status_code == 200
    billing = post(world, "/billing/set", BUYER | {"account_id": account_id}, role="finance")
    assert billing.status_code == 200, billing.text
    invoice = {"seller_id": seller_id, "account_id": account_id, "currency": "EUR", "lines": LINES}
    answer = post(world, "/invoices/issue", invoice, key="i-1", role="finance")
    assert answer.status_code == 201, answer.text
    return {"account_id": account_id, "invoice_id": answer.json()["id"]}


def test_an_invoice_from_seller_to_pdf(world: World) -> None:
    """Numbered, printed to the same bytes twice, hashed in the log, and credited in part."""
    invoice_id = issued(world)["invoice_id"]
    as_auditor = world.as_role("auditor")
    address = f"/api/admin/documents/{invoice_id}/pdf"
    first, second = (world.client.get(address, headers=as_auditor) for _ in range(2))
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.content == second.content
    text = pypdf.PdfReader(io.BytesIO(first.content)).pages[0].extract_text()
    assert BUYER["buyer_name"] in text
    note = {"invoice_id": invoice_id, "reason": "asked for", "amount_minor": 1900}
    assert post(world, "/credit-notes/issue", note, key="c-1", role="finance").status_code == 201
    detail = get(world, f"/documents/{invoice_id}")
    assert (detail["number"], detail["left_minor"]) == ("INV-000001", 10000)
    assert detail["pdf_sha256"] == hashlib.sha256(first.content).hexdigest()
    assert f"{detail['entry']['leaf_sha256']}" in text


def test_a_kept_exchange_rate_is_noted(world: World) -> None:
    """Set by finance and by nobody below; read by everybody; without it a tax office's invoice is refused with a stable code."""
    made = issued(world)
    seller_id = get(world, f"/documents/{made['invoice_id']}")["issued"]["seller_id"]
    invoice = {"seller_id": seller_id, "account_id": made["account_id"], "currency": "USD", "lines": LINES}
    refused = post(world, "/invoices/issue", invoice, key="i-2", role="finance")
    assert (refused.status_code, refused.json()["code"]) == (422, "exchange_rate_missing")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    rate = {
        "seller_id": seller_id,
        "currency": "USD",
        "rate": "0.9213",
        "published_on": today,
        "published_by": "ECB",
    }
    assert post(world, "/exchange-rates/set", rate, role="support").status_code == 403
    assert post(world, "/exchange-rates/set", rate, role="finance").status_code == 200
    answer = post(world, "/invoices/issue", invoice, key="i-3", role="finance")
    assert answer.status_code == 201, answer.text
    noted = get(world, f"/documents/{answer.json()['id']}")["issued"]["fx"]
    assert noted == {"currency": "EUR", "rate": "0.9213", "source": "ECB", "on": today, "tax_minor": 1750}
    assert get(world, f"/exchange-rates?seller_id={seller_id}") == []


def test_what_is_wrong_with_a_document_is_said(world: World) -> None:
    """Too much credited, a receipt for what was not paid, one that is not there, a role that may not."""
    made = issued(world)
    note = {"invoice_id": made["invoice_id"], "reason": "x", "amount_minor": 11901}
    refused = post(world, "/credit-notes/issue", note, key="c-1", role="finance")
    assert (refused.status_code, refused.json()["code"]) == (422, "credit_above_invoice")
    headers = world.as_role("auditor")
    address = f"/api/admin/documents/{made['invoice_id']}/pdf?receipt=true"
    assert world.client.get(address, headers=headers).json()["code"] == "wrong_state"
    missing = world.client.get(f"/api/admin/documents/{UUID(int=7)}/pdf", headers=headers)
    assert missing.status_code == 404
    assert post(world, "/sellers/set", SELLER, key="s-2", role="support").status_code == 403


def test_documents_are_listed_and_what_is_due_is_said(world: World, database_url: str) -> None:
    """Over the API, as on the command line; who issues them by themselves is set by finance."""
    made = issued(world)
    project(database_url)
    listed = get(world, f"/documents?account_id={made['account_id']}")
    assert [(one["number"], one["kind"]) for one in listed["items"]] == [("INV-000001", "invoice")]
    assert get(world, "/documents?kind=credit_note")["items"] == []
    assert get(world, "/documents/due")["items"] == []
    seller_id = listed["items"][0]["seller_id"]
    setting = {"seller_id": seller_id, "locale": "ja"}
    assert post(world, "/invoicing/set", setting, role="finance").status_code == 200
    assert post(world, "/invoicing/set", setting, role="support").status_code == 403
    unknown = post(world, "/invoicing/set", {"seller_id": str(UUID(int=7))}, role="finance")
    assert unknown.status_code == 404


def test_a_statement_is_printed(world: World, database_url: str) -> None:
    """In the language that is asked for; a month that is none is refused."""
    account_id = opened(world)
    project(database_url)
    address = f"/api/admin/statements/{account_id}/pdf?month=2025-11&locale=ko"
    headers = world.as_role("auditor")
    answer = world.client.get(address, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert "이용 명세서" in pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert world.client.get(address.replace("2025-11", "2025-13"), headers=headers).status_code == 400
    assert world.client.get(address.replace("=ko", "=fr"), headers=headers).status_code == 400
    missing = world.client.get(f"/api/admin/orders/{UUID(int=7)}/receipt", headers=headers)
    assert missing.status_code == 404
