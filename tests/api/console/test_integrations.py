"""What customers' own programs need: management keys, endpoints that are told of what happens, and codes, files and days to look at."""

import re
from datetime import UTC, datetime
from uuid import UUID

from adapters.hooks.tables import PostgresHookQueue
from adapters.hooks.worker_side import PostgresClaims, PostgresCollecting
from api.console.charts import chosen_span
from application.hooks.collect import collect
from application.hooks.ports import Sent
from application.promotions import issue_codes
from domain.fact import SYSTEM
from domain.management import ManagementKey
from tests.api.console.conftest import ACCOUNT, OTHER, World

BASE = f"/app/{ACCOUNT}"
URL = "https://hooks.example.com/in"
NOW_US = int(datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()) * 1_000_000


def management_key(world: World) -> ManagementKey:
    (key,) = world.process.directory.key_ring.of_account(ACCOUNT).values()
    return key


def collected(world: World) -> None:
    """What the worker does that reads the log for endpoints."""
    while collect(PostgresCollecting(world.process.pool), world.process.ports.store):
        pass


def test_a_management_key_from_its_making_to_its_end(world: World) -> None:
    """Its secret is in the answer alone; a role that looks after no members sees the list and no form."""
    world.as_member("admin")
    do, page = f"{BASE}/do/management-keys", f"{BASE}/management-keys"
    form = {"token": world.token("/me"), "back": page}
    shown = world.post(f"{do}/issue", **form, name="billing export", role="billing")
    (secret,) = re.findall(r"tk_mgmt_[0-9A-Za-z]+", shown.text)
    key = management_key(world)
    assert key.person_id == world.members["admin"]
    listed = world.client.get(page).text
    assert "billing export" in listed
    assert "admin@customer.example" in listed
    assert secret not in listed
    headers = {"authorization": f"Bearer {secret}"}
    assert world.client.get("/api/account", headers=headers).status_code == 200
    rotated = world.post(f"{do}/rotate", **form, key_id=str(key.key_id), overlap_s="0")
    assert re.search(r"tk_mgmt_[0-9A-Za-z]+", rotated.text)
    world.post(f"{do}/revoke", **form, key_id=str(key.key_id), reason="left")
    assert management_key(world).revoked
    assert ">Revoked<" in world.client.get(page).text
    world.as_member("developer")
    assert "/do/management-keys" not in world.client.get(page).text
    assert world.post(f"{do}/issue", name="x", role="viewer").status_code == 403


def test_an_endpoint_is_told_and_tells_what_became_of_it(world: World) -> None:
    """Added, tried, disabled, enabled, given another secret and removed by forms; each try stands beside its message."""
    world.as_member("developer")
    do, page = f"{BASE}/do/endpoints", f"{BASE}/webhooks"
    token = world.token("/me")
    shown = world.post(f"{do}/register", token=token, url=URL, kinds="key.issued")
    assert shown.text.count("whsec_") == 1
    world.post(f"{BASE}/do/keys/issue", token=token, name="CI")
    collected(world)
    (endpoint_id,) = re.findall(rf"{page}/([0-9a-f-]{{36}})", world.client.get(page).text)
    one = {"token": token, "endpoint_id": endpoint_id, "back": f"{page}/{endpoint_id}"}
    claims = PostgresClaims(world.process.pool)
    (waiting,) = claims.claim(limit=5, rest_s=60, busy=[])
    claims.note(waiting, Sent(status=503, error="", duration_ms=12), wait_s=None, delivered=False)
    shown = world.client.get(f"{page}/{endpoint_id}?state=abandoned")
    assert "key.issued" in shown.text
    assert "503" in shown.text
    assert "&#34;type&#34;: &#34;key.issued&#34;" in shown.text
    world.post(f"{do}/replay", **one, message_id=waiting.message_id)
    queue = PostgresHookQueue(world.process.pool)
    assert [row.state for row in queue.messages(UUID(endpoint_id)).items] == ["waiting"]
    world.post(f"{do}/disable", **one, reason="moving house")
    assert "moving house" in world.client.get(page).text
    world.post(f"{do}/enable", **one)
    assert "whsec_" in world.post(f"{do}/rotate", **one, overlap_hours="1").text
    world.post(f"{do}/ping", **one)
    assert "ping" in world.client.get(f"{page}/{endpoint_id}").text
    world.post(f"{do}/remove", **one)
    assert world.get(f"{page}/{endpoint_id}").status_code == 404
    assert URL not in world.client.get(page).text


def test_an_endpoint_of_another_account_is_not_there(world: World) -> None:
    """Neither to be looked at nor to be changed."""
    world.as_staff("admin")
    world.post("/console/do/endpoints/register", token=world.token("/me"), account_id=str(OTHER), url=URL)
    collected(world)
    (row,) = world.process.ports.hooks.endpoints(OTHER)
    world.as_member("owner")
    theirs = str(row.endpoint.endpoint_id)
    assert world.get(f"{BASE}/webhooks/{theirs}").status_code == 404
    assert world.post(f"{BASE}/do/endpoints/remove", endpoint_id=theirs).status_code == 404


def test_a_code_becomes_credit(world: World) -> None:
    """Once, by whoever looks after money, and what is wrong with another is said in words."""
    command = issue_codes.IssueCodes(count=1, amount_nano=70, note="fair")
    (code,) = issue_codes.handle(command, actor=SYSTEM, ports=world.process.ports).codes
    world.as_member("developer")
    assert "Redeem a code" not in world.client.get(f"{BASE}/recharge").text
    world.as_member("billing")
    form = {"token": world.token("/me"), "code": code.reveal()}
    assert world.post(f"{BASE}/do/codes/redeem", **form).headers["location"] == f"{BASE}/recharge"
    assert "The code is redeemed." in world.client.get(f"{BASE}/recharge").text
    again = world.post(f"{BASE}/do/codes/redeem", **form).text
    assert "This code was redeemed already." in again
    assert code.reveal() not in again


def test_days_of_ones_own_choice() -> None:
    """Whole days of a zone, by the hour where they are few; what is no such range is the named one."""
    span = chosen_span("week", "2026-11-01", "2026-11-03", zone="Asia/Kathmandu", now_us=NOW_US)
    assert (span.name, span.group, span.period.until_us - span.period.from_us) == (
        "",
        "day",
        3 * 86_400_000_000,
    )
    assert (str(span.first_day), str(span.last_day)) == ("2026-11-01", "2026-11-03")
    assert span.query == {"from": "2026-11-01", "until": "2026-11-03"}
    assert chosen_span("week", "2026-11-29", "2026-11-29", zone="UTC", now_us=NOW_US).group == "hour"
    for first, last in (
        ("2026-11-03", "2026-11-01"),
        ("2020-01-01", "2026-11-01"),
        ("2027-01-01", "2027-01-02"),
        ("0001-01-01", "0001-01-02"),
        ("9999-12-31", "9999-12-31"),
        ("x", ""),
    ):
        assert chosen_span("week", first, last, zone="UTC", now_us=NOW_US).name == "week"


def test_pages_have_days_of_ones_own_choice(world: World) -> None:
    """Overview and usage show them where the named spans stand."""
    world.as_member("viewer")
    for path in (BASE, f"{BASE}/usage"):
        page = world.client.get(f"{path}?from=2026-02-01&until=2026-02-28").text
        assert "Feb 1\u2009\u2013\u200928, 2026" in page


def test_what_a_leaked_key_did_since(world: World) -> None:
    """Requests and credits since then, and the ways out; a time that is to come shows nothing."""
    world.as_member("owner")
    world.post(f"{BASE}/do/keys/issue", token=world.token("/me"), name="CI")
    (key,) = world.process.directory.keys.values()
    page = f"{BASE}/keys/{key.key_id}"
    shown = world.client.get(f"{page}?since=2026-01-01T00:00").text
    assert "0 requests" in shown
    assert f"key={key.key_id}&amp;day=2026-01-01" in shown
    for since in ("2099-01-01T00:00", "1900-01-01T00:00", "x"):
        assert "Requests of that day" not in world.client.get(f"{page}?since={since}").text
