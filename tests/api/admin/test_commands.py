"""Commands through the running application: answers, errors, idempotency keys, and secrets shown once."""

import gc
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from tests.api.admin.conftest import World, make_world
from tests.cli_runner import project
from tests.waiting import until


def post(
    world: World, path: str, body: object, *, key: str | None = None, role: Any = "admin"
) -> httpx.Response:
    headers = world.as_role(role) | ({"idempotency-key": key} if key else {})
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return world.client.post(f"/api/admin{path}", content=content, headers=headers)


def get(world: World, path: str) -> Any:
    answer = world.client.get(f"/api/admin{path}", headers=world.as_role("auditor"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def opened(world: World) -> str:
    answer = post(world, "/accounts/open", {"name": "Blue"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["account_id"] if "account_id" in answer.json() else answer.json()["id"])


def test_what_was_commanded_is_shown(world: World) -> None:
    """An account, a key and a price appear in the lists, with names and without secrets."""
    account_id = opened(world)
    secret = post(world, "/keys/issue", {"account_id": account_id, "name": "Laptop"}).json()["secret"]
    price = {"input": "1", "cached_input": "1", "cache_write": "1", "output": "2", "request": "0"}
    published = post(world, "/prices/publish", {"entries": {"fast": price}, "note": "first"})
    assert published.status_code == 200, published.text

    until(lambda: get(world, "/accounts")["items"])
    project(world.database_url)
    assert get(world, "/prices")["items"]
    account = get(world, f"/accounts/{account_id}")
    assert (account["name"], account["status"]) == ("Blue", "open")
    (key,) = get(world, f"/keys?account_id={account_id}")["items"]
    assert key["name"] == "Laptop"
    assert secret.startswith(key["secrets"][0]["prefix"])


def test_a_contact_is_shown_until_its_account_is_erased(world: World) -> None:
    """The certificate comes once more when asked again; the name is gone too."""
    account_id = opened(world)
    contact = {"contact_name": "Ada", "email": "ada@example.com"}
    assert post(world, "/accounts/contact", contact | {"account_id": account_id}).status_code == 200
    until(lambda: get(world, f"/accounts/{account_id}")["contact"] == contact)
    body = {"account_id": account_id, "reason": "asked for"}
    first, second = (post(world, "/accounts/erase", body) for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.content == second.content
    until(lambda: get(world, f"/accounts/{account_id}")["erased"])
    account = get(world, f"/accounts/{account_id}")
    assert (account["name"], account["contact"], account["status"]) == (None, None, "closed")
    renamed = post(world, "/accounts/rename", {"subject_id": account_id, "name": "Ada"})
    assert (renamed.status_code, renamed.json()["code"]) == (422, "subject_erased")


def test_no_get_shows_a_secret_or_a_hash(world: World) -> None:
    """Neither an API key, nor an operator's token, nor a provider's credential, nor what is kept of them."""
    account_id = opened(world)
    key = post(world, "/keys/issue", {"account_id": account_id, "name": "Laptop"}).json()
    provider = post(world, "/providers/register", {"name": "acme", "base_url": "https://api.example.com/v1"})
    assert provider.status_code == 200, provider.text
    credential = {"provider_id": provider.json()["id"], "secret": "sk-very-secret-indeed"}
    stored = post(world, "/credentials/store", credential)
    assert stored.status_code == 201, stored.text
    assert "sk-very-secret" not in stored.text
    project(world.database_url)
    assert get(world, "/credentials")["items"]
    assert get(world, "/keys")["items"]

    lists = ("accounts", "keys", "operators", "providers", "credentials", "deployments", "aliases", "prices")
    shown = " ".join(str(get(world, f"/{name}")) for name in lists)
    assert "sk-very-secret" not in shown
    assert key["secret"] not in shown
    assert "hash" not in shown
    assert not any(token in shown for token in world.tokens.values())


def test_the_same_idempotency_key_gets_the_same_answer(world: World) -> None:
    """A repeated request makes no second key, and shows the first one's secret to the same caller."""
    body = {"account_id": opened(world), "name": "Laptop"}
    first, second = (post(world, "/keys/issue", body, key="once") for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    project(world.database_url)
    assert len(get(world, "/keys")["items"]) == 1


def test_an_idempotency_key_is_good_for_one_input(world: World) -> None:
    """Another body, or another route, under the same key is refused; another operator's keys are others."""
    account_id = opened(world)
    body = {"account_id": account_id, "reason": "r"}
    assert post(world, "/accounts/suspend", body, key="k").status_code == 200
    others = (("/accounts/suspend", body | {"reason": "s"}), ("/accounts/close", body))
    for path, other in others:
        answer = post(world, path, other, key="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert post(world, "/accounts/open", {"name": "Red"}, key="k", role="support").status_code == 201


def test_a_refusal_frees_the_idempotency_key(world: World) -> None:
    """What was refused was not done: the corrected request may come under the same key."""
    assert post(world, "/accounts/open", {"name": ""}, key="k").status_code == 400
    assert post(world, "/accounts/open", {"name": "Blue"}, key="k").status_code == 201


def test_credit_is_granted_once_per_idempotency_key(world: World) -> None:
    """The repeated grant gets the first answer; without a key or a lot id no credit is granted at all."""
    grant = {"account_id": opened(world), "amount_nano": 5_000, "reason": "paid by wire"}
    refused = post(world, "/credit/grant", grant)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")
    answers = [post(world, "/credit/grant", grant, key="wire-1", role="finance") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1].json() == answers[0].json()
    assert answers[0].json()["granted_nano"] == 5_000
    more = post(world, "/credit/grant", grant, key="wire-2", role="finance")
    assert more.json()["granted_nano"] == 10_000
    again = post(world, "/credit/grant", grant | {"lot_id": more.json()["lot_id"]})
    assert (again.status_code, again.json()["code"]) == (422, "lot_already_granted")


def test_credit_has_an_order_a_time_and_models(world: World) -> None:
    """What is said of a lot stands on it; one that could never be spent is refused, with the field's name."""
    said = {"priority": 10, "effective_us": 5, "expires_us": 2**60, "models": ["fast"], "source": "promo"}
    grant = {"account_id": opened(world), "amount_nano": 5, "reason": "spring", "lot_id": str(uuid4())}
    late = post(world, "/credit/grant", grant | said | {"expires_us": 6})
    assert (late.status_code, late.json()["code"]) == (400, "invalid_value")
    assert "expires_us" in late.text
    assert post(world, "/credit/grant", grant | said).status_code == 201


@pytest.mark.parametrize("amount", [0, -1, 2**63, 10**30])
def test_absurd_amounts_are_refused(world: World, amount: int) -> None:
    """Nothing but a positive 64-bit number of nano-credits is granted."""
    grant = {"account_id": opened(world), "amount_nano": amount, "reason": "r", "lot_id": str(uuid4())}
    answer = post(world, "/credit/grant", grant)
    assert answer.status_code == 400, answer.text


def test_credit_needs_an_account(world: World) -> None:
    """404 for an account that nobody opened."""
    grant = {"account_id": str(uuid4()), "amount_nano": 5, "reason": "r"}
    answer = post(world, "/credit/grant", grant, key="k")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'{"name": "a", "colour": "blue"}',
        b'{"name": 5}',
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"name": "a", "account_id": "no"}',
        b'{"name": "a\\u0000b"}',
    ],
)
def test_malformed_bodies_are_refused_as_problems(world: World, body: bytes) -> None:
    """400, never 500; unknown fields too."""
    answer = post(world, "/accounts/open", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in {"invalid_request", "invalid_value"}
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_secret_is_not_repeated(world: World) -> None:
    """The refusal of a credential names the field only."""
    answer = post(world, "/credentials/store", {"provider_id": "p", "secret": "sk-do-not-repeat"})
    assert answer.status_code == 400
    assert "sk-do-not-repeat" not in answer.text


def test_rules_say_no_with_422(world: World) -> None:
    """A state or a name that forbids it is no conflict that a retry could solve."""
    account_id = opened(world)
    key = {"account_id": account_id, "name": "Laptop", "key_id": str(uuid4())}
    assert post(world, "/keys/issue", key).status_code == 201
    again = post(world, "/keys/issue", key)
    assert (again.status_code, again.json()["code"]) == (422, "already_exists")
    assert post(world, "/accounts/close", {"account_id": account_id, "reason": "left"}).status_code == 200
    late = post(world, "/keys/issue", {"account_id": account_id, "name": "Laptop"})
    assert (late.status_code, late.json()["code"]) == (422, "wrong_state")
    last = post(world, "/operators/disable", {"operator_id": str(world.operators["admin"]), "reason": "r"})
    assert (last.status_code, last.json()["code"]) == (422, "last_admin")


def test_bodies_are_bounded(world: World) -> None:
    """Two megabytes are nobody's command."""
    answer = post(world, "/accounts/open", b'{"name": "' + b"a" * 2_000_000 + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_lists_come_in_pages(world: World) -> None:
    """Following `next_after` shows each item once, in order."""
    ids = sorted(opened(world) for _ in range(5))
    until(lambda: len(get(world, "/accounts")["items"]) == 5)
    seen, after = [], ""
    while after is not None:
        page = get(world, f"/accounts?limit=2{after and f'&after={after}'}")
        seen += [item["account_id"] for item in page["items"]]
        after = page["next_after"]
    assert seen == ids
    assert world.client.get("/api/admin/accounts?limit=0", headers=world.as_role("admin")).status_code == 400


def test_an_account_without_a_balance_has_zeros(world: World) -> None:
    """404 is for accounts that do not exist."""
    account_id = opened(world)
    until(lambda: get(world, "/accounts")["items"])
    assert get(world, f"/balances/{account_id}")["available_nano"] == 0
    assert get(world, "/requests") == {"requests": [], "next_before": None}


def test_the_document_names_every_command(world: World) -> None:
    """OpenAPI, with the unknown fields forbidden and the secrets write-only."""
    document = get(world, "/schema/openapi.json")
    assert "/api/admin/accounts/open" in document["paths"]
    assert "/api/admin/keys/{key_id}" in document["paths"]
    secret = document["components"]["schemas"]["StoreCredential"]["properties"]["secret"]
    assert secret["writeOnly"] is True
    assert document["components"]["schemas"]["OpenAccount"]["additionalProperties"] is False


def test_a_gateway_that_has_stopped_can_be_collected(database_url: str) -> None:
    """What it took out of the garbage collector's sight comes back, or a process that starts one after another never shrinks."""
    with make_world(database_url):
        assert gc.get_freeze_count()
    assert not gc.get_freeze_count()


def test_metrics_tell_of_the_gateway_and_the_read_models(world: World) -> None:
    """Prometheus text, with the journal's state and the lag; it shows no name and no id."""
    text = world.client.get("/metrics").text
    assert "tokenok_requests_total 0.0" in text
    assert "tokenok_journal_writable 1.0" in text
    assert 'tokenok_projection_events_behind{projection="balances"}' in text
    assert 'tokenok_request_duration_seconds_bucket{le="+Inf"} 0.0' in text
