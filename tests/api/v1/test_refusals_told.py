"""A refusal by a running gateway, asked about afterwards."""

from domain.decimals import decimal_text
from tests.api.v1.gateway_world import POOR_NANO, World, ask
from tests.waiting import until


def test_why_was_this_refused(world: World) -> None:
    """The answer to the client names the numbers; so does the log, seconds later, by account and key."""
    assert world.chat(ask("demo")).status_code == 200  # which is nothing to tell
    answer = world.chat(ask("demo"), key=world.new_key("Told", amount_nano=POOR_NANO))
    assert answer.status_code == 402
    told = answer.json()["error"]
    token = {"authorization": f"Bearer {world.seed.operator_token}"}
    accounts = world.client.get("/api/admin/accounts?limit=500", headers=token).json()["items"]
    (account_id,) = [one["account_id"] for one in accounts if one["name"] == "Told"]
    at_us = world.ports.clock.now_us()
    range_us = f"from_us={at_us - 60_000_000}&until_us={at_us + 60_000_000}"

    def explained() -> list[dict[str, object]]:
        url = f"/api/admin/explanations/refusals/{account_id}?{range_us}"
        items: list[dict[str, object]] = world.client.get(url, headers=token).json()["items"]
        return items

    (found,) = until(explained)
    refused = found["refused"]
    assert isinstance(refused, dict)
    required_nano = refused["required_nano"]
    assert isinstance(required_nano, int)
    assert (refused["code"], refused["calls"]) == ("insufficient_quota", 1)
    assert refused["required_nano"] > refused["available_nano"]
    assert f"{decimal_text(required_nano)} credits are required" in told["message"]
    assert told["required_nano"] == required_nano
