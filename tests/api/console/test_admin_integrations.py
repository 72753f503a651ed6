"""What operators see of customers' own programs: endpoints with what failed at them, and management keys."""

import re

from adapters.hooks.worker_side import PostgresClaims, PostgresCollecting
from application.hooks.collect import collect
from application.hooks.ports import Sent
from tests.api.console.conftest import ACCOUNT, OTHER, World
from tests.api.console.forms import do, sign_in

URL = "https://hooks.example.com/in"


def collected(world: World) -> None:
    """What the worker does that reads the log for endpoints."""
    while collect(PostgresCollecting(world.process.pool), world.process.ports.store):
        pass


def test_a_failing_endpoint_is_found_and_dealt_with(world: World) -> None:
    """By its account or as one that fails; disabled with a reason, enabled, and its message sent again."""
    token = sign_in(world, "admin")
    assert (
        "whsec_"
        in world.post("/console/do/endpoints/register", token=token, account_id=str(ACCOUNT), url=URL).text
    )
    world.post("/console/do/keys/issue", token=token, account_id=str(ACCOUNT), name="CI")
    collected(world)
    assert URL not in world.get("/console/endpoints?failing=1").text
    assert URL not in world.get(f"/console/endpoints?account={OTHER}").text
    claims = PostgresClaims(world.process.pool)
    (waiting, *_) = claims.claim(limit=1, rest_s=60, busy=[])
    claims.note(waiting, Sent(status=500, error="", duration_ms=9), wait_s=None, delivered=False)
    listed = world.get("/console/endpoints?failing=1").text
    assert URL in listed
    (endpoint_id,) = set(re.findall(r"/console/endpoints/([0-9a-f-]{36})", listed))
    (row,) = world.get(f"/console/endpoints?account={ACCOUNT}&as=json").json()
    assert (row["endpoint"]["endpoint_id"], row["endpoint"]["url"]) == (endpoint_id, URL)
    page = world.get(f"/console/endpoints/{endpoint_id}?state=abandoned").text
    assert "key.issued" in page
    assert "500" in page
    rows = world.get(f"/console/endpoints/{endpoint_id}?as=json").json()
    assert rows[0]["body"]["type"] == "key.issued"
    assert "key.issued" in world.get(f"/console/endpoints/{endpoint_id}?as=csv").text
    again = {"endpoint_id": endpoint_id, "message_id": waiting.message_id}
    assert do(world, "endpoints/replay", token, **again) == ""
    assert do(world, "endpoints/disable", token, endpoint_id=endpoint_id, reason="floods us") == ""
    assert "floods us" in world.get(f"/console/endpoints/{endpoint_id}").text
    assert do(world, "endpoints/enable", token, endpoint_id=endpoint_id) == ""
    sign_in(world, "auditor")
    assert "/console/do/endpoints/" not in world.get(f"/console/endpoints/{endpoint_id}").text
    assert world.get(f"/console/endpoints/{OTHER}").status_code == 404


def test_a_management_key_is_revoked_by_an_operator(world: World) -> None:
    """Found by its account; its secret is in the answer that made it alone."""
    token = sign_in(world, "admin")
    made = {"account_id": str(ACCOUNT), "name": "billing export", "role": "billing"}
    page = f"/console/management-keys?account={ACCOUNT}"
    shown = world.post("/console/do/management-keys/issue", token=token, back=page, **made).text
    (secret,) = re.findall(r"tk_mgmt_[0-9A-Za-z]+", shown)
    listed = world.get(page).text
    assert "billing export" in listed
    assert secret not in listed
    assert "billing export" not in world.get(f"/console/management-keys?account={OTHER}").text
    (row,) = world.get("/console/management-keys?as=json").json()
    assert (row["name"], row["role"], row["revoked"]) == ("billing export", "billing", False)
    assert secret not in str(row)
    assert do(world, "management-keys/revoke", token, key_id=row["key_id"], reason="left") == ""
    assert "/console/do/management-keys/revoke" not in world.get(page).text
    the_log_says_so_in_words(world)


def the_log_says_so_in_words(world: World) -> None:
    """What was done, to what and by whom, in the reader's language; acts and operators are chosen by those words."""
    world.project()
    by_admin = f"operator:{world.staff['admin']}"
    address = f"/console/audit?kind=management+key&actor={by_admin}"
    for language, act, field, state in (
        ("en", "Revoked", "State", "Revoked"),
        ("zh", "吊销", "状态", "已吊销"),
    ):
        world.client.cookies.set("tokenok_language", language)
        page = world.get(address).text
        assert f'<td title="management-key.revoked.v1">{act}</td>' in page
        assert re.search(rf">{field}</span>.*?→</span> <span class=\"num\">{state}</span>", page)
        assert f'<option value="{by_admin}" selected>admin</option>' in page
        assert re.search(rf'<option value="management-key.revoked.v1">[^<]*{act}</option>', page)
