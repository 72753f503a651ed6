"""The operators' page of redemption codes: what is shown once, what became of a batch, and its end."""

import re
from uuid import UUID

from application.ledger.wallet_reader import load_wallet
from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in
from tests.cli_runner import project


def issue(world: World, token: str, **fields: str) -> tuple[str, list[str]]:
    """A batch's id and its codes, as the answer shows them."""
    wanted = {"count": "3", "amount": "2.50", "note": "Spring fair", "per_account": "1"}
    page = world.post("/console/do/codes/issue", token=token, back="/console/codes", **(wanted | fields)).text
    found = re.search(r'download="codes-([0-9a-f-]{36})\.txt"', page)
    assert found is not None
    shown = re.search(r"<code[^>]*>(.*?)</code>", page, re.DOTALL)
    assert shown is not None
    return found[1], shown[1].split()


def test_codes_are_shown_once_and_counted(world: World, database_url: str) -> None:
    """In the answer to the form; the pages afterwards show how many were redeemed and by whom, and no code."""
    token = sign_in(world, "finance")
    batch_id, codes = issue(world, token, _once="one")
    assert len(set(codes)) == 3
    assert do(world, "codes/redeem", token, account_id=str(ACCOUNT), code=codes[0]) == ""
    assert do(world, "codes/redeem", token, account_id=str(ACCOUNT), code=codes[1])  # one for an account
    assert load_wallet(world.process.store, ACCOUNT).wallet.available_nano == 2_500_000_000
    project(database_url)
    pages = [world.get(f"/console/codes{path}").text for path in ("", f"/{batch_id}")]
    assert "1 of 3" in pages[0]
    assert str(ACCOUNT) in pages[1]
    assert not [code for code in codes for page in pages if code in page]
    (row,) = world.get(f"/console/codes/{batch_id}?as=json").json()
    assert row["account_id"] == str(ACCOUNT)
    (row,) = world.get("/console/codes?as=json").json()
    assert (row["batch_id"], row["redeemed"], row["count"]) == (batch_id, 1, 3)
    for statement in (f"/console/customers/{ACCOUNT}/statements", f"/app/{ACCOUNT}/statements"):
        if statement.startswith("/app"):
            world.as_member("owner")
        page = world.get(statement).text
        assert '<span class="sub">Redemption code</span>' in page
        assert batch_id not in page


def test_a_batch_is_withdrawn_with_a_reason(world: World, database_url: str) -> None:
    """No code of it is good any more, and its page says why."""
    token = sign_in(world, "finance")
    batch_id, codes = issue(world, token)
    assert do(world, "codes/withdraw", token, batch_id=batch_id, reason="found on a forum") == ""
    assert do(world, "codes/redeem", token, account_id=str(ACCOUNT), code=codes[0])
    project(database_url)
    page = world.get(f"/console/codes/{batch_id}").text
    assert "found on a forum" in page
    assert "/console/do/codes/withdraw" not in page
    assert world.get(f"/console/codes/{UUID(int=7)}").status_code == 404


def test_the_end_of_a_batch_is_written_in_the_reader_s_zone(world: World) -> None:
    """And one that has passed is refused."""
    token = sign_in(world, "finance")
    fields = {"count": "1", "amount": "1", "note": "x", "redeem_until": "2020-01-01T00:00"}
    assert do(world, "codes/issue", token, **fields)
    issue(world, token, redeem_until="2099-01-01T00:00", credit_days="30", models="a, b")


def test_a_demo_is_given_once(world: World) -> None:
    """From the account's page; a second one is refused."""
    token = sign_in(world, "finance")
    assert "/console/do/credit/demo" in world.get(f"/console/customers/{ACCOUNT}").text
    demo = {"account_id": str(ACCOUNT), "amount": "5", "days": "14"}
    assert do(world, "credit/demo", token, **demo) == ""
    assert do(world, "credit/demo", token, **demo)
    assert load_wallet(world.process.store, ACCOUNT).wallet.available_nano == 5_000_000_000


def test_who_may_not_move_credit_makes_no_codes(world: World) -> None:
    """They see what there is."""
    sign_in(world, "support")
    assert "/console/do/codes/" not in world.get("/console/codes").text
