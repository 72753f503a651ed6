"""What became of a request, asked for by the customer."""

import httpx

from tests.routing.routing_world import PRIMARY, RoutingWorld, process
from tests.waiting import until


def ask(world: RoutingWorld, request_id: str, *, key: str | None = None) -> httpx.Response:
    return httpx.get(
        f"{world.urls[0]}/v1/generation",
        params={"id": request_id},
        headers={"authorization": f"Bearer {key or world.key}"},
        timeout=60,
        trust_env=False,
    )


def test_a_customer_reads_its_own_requests_and_nobody_elses(
    world: RoutingWorld, environment: dict[str, str]
) -> None:
    """Not yet, while the record is behind; then with its attempts; and never to another account."""
    other = world.new_key("other")
    until(lambda: world.knows(other))
    world.tell(PRIMARY, "status_503", times=1)
    answer = world.ask("pair")
    request_id = answer.headers["x-request-id"]
    early = ask(world, request_id)
    assert (early.status_code, early.json()["error"]["code"]) == (404, "generation_not_found")
    assert early.headers["retry-after"] == "1"
    with process(["worker"], environment, world.scratch / "worker.log"):
        until(lambda: ask(world, request_id).status_code == 200)
    data = ask(world, request_id).json()["data"]
    assert [(one["provider_name"], one["status"]) for one in data["provider_responses"]] == [
        ("alpha", 503),
        ("beta", 200),
    ]
    assert (data["model"], data["state"], data["provider_name"]) == ("pair", "charged", "beta")
    assert data["usage"]["completion_tokens"] == answer.json()["usage"]["completion_tokens"]
    assert f"{data['total_cost']:.9f}".rstrip("0") == answer.headers["x-tokenok-charge"].rstrip("0")
    foreign = ask(world, request_id, key=other)
    unknown = ask(world, "0193a5e0-0000-7000-8000-000000000001")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()


def test_an_id_that_is_none_is_refused(world: RoutingWorld) -> None:
    """By name."""
    answer = ask(world, "x")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "id")
    assert ask(world, "x", key="tk_live_nobody").status_code == 401
