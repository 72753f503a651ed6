"""What costs no credit costs our processor's time: a key's limit of requests holds there as well."""

from tests.api.v1.gateway_world import World, ask

PATH = "/v1/messages/count_tokens"


def test_counting_tokens_is_bound_by_the_limit_of_requests(world: World) -> None:
    """A key of one request a minute, without credit, tokenised megabytes as often as it liked."""
    key = world.new_key("Counter", amount_nano=1, rpm=1)
    body = {"model": "demo-fast", "messages": [{"role": "user", "content": "Hello"}]}
    answers = [world.client.post(PATH, json=body, headers={"x-api-key": key}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert answers[-1].headers["retry-after"]
    assert world.chat(ask()).status_code == 200  # other keys are served
