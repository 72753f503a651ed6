"""An outage and a dead credential, seen by two gateways, read back from the event log."""

import time
from uuid import UUID

from application.routing.health import CONSECUTIVE_MAX
from domain.health.breaker import OPEN_S
from tests.routing.routing_world import KEYED, PRIMARY, SECONDARY, RoutingWorld, deployment_of, process
from tests.routing.story import Storyteller
from tests.waiting import until


def storyteller(world: RoutingWorld) -> Storyteller:
    names: dict[UUID, str] = {deployment_of(PRIMARY): "alpha", deployment_of(SECONDARY): "beta"}
    names |= {deployment_of(KEYED): "gamma"}
    names |= dict(zip(world.credential_ids, ("the first key", "the second key"), strict=True))
    return Storyteller(names)


def test_an_outage_reads_like_its_story(world: RoutingWorld) -> None:
    """One gateway meets it, both act on it, one tries again, both come back."""
    for gateway in (0, 1):
        world.served("pair", gateway=gateway)
    start = world.end()
    world.tell(PRIMARY, "status_500")
    for _ in range(CONSECUTIVE_MAX):
        world.served("pair", gateway=0)
    opened_s = time.monotonic()
    until(lambda: _providers(world, 1) == ["beta"])
    world.be_well()
    until(lambda: time.monotonic() > opened_s + OPEN_S)
    until(lambda: _providers(world, 1) == ["alpha"])
    until(lambda: any("open to all again" in line for line in _told(world, start)))
    until(lambda: _providers(world, 0) == ["alpha"])

    story = _told(world, start)
    print("\n".join(["", *story]))  # noqa: T201  the story is there to be read
    failing = "gateway 1: alpha failed (unknown 500), beta served"
    assert story[: CONSECUTIVE_MAX - 1] == [failing] * (CONSECUTIVE_MAX - 1)
    shut = story.index("alpha is shut for 10 s: consecutive_failures, unknown")
    passing = "gateway 2: alpha was passed over (breaker_open), beta served"
    told = [line for line in story if "alpha " in line and not line.startswith("gateway")]
    assert told == [
        "alpha is shut for 10 s: consecutive_failures, unknown",
        "alpha gets a trial by gateway 2",
        "alpha is open to all again: trial_succeeded",
    ]
    trial = story.index("alpha gets a trial by gateway 2")
    assert passing in story[shut:trial]
    assert story.count(failing) == CONSECUTIVE_MAX
    assert "gateway 2: alpha served" in story[shut:]
    assert story[-1] == "gateway 1: alpha served"


def test_a_dead_credential_gives_way_to_the_next_until_a_probe_finds_it_well(
    world: RoutingWorld, environment: dict[str, str]
) -> None:
    """The customer sees nothing; the other gateway does not try it; the scheduler's free probe brings it back."""
    for gateway in (0, 1):
        world.served("keyed", gateway=gateway)
    start = world.end()
    world.tell(KEYED, "status_401", times=1)
    charged = world.served("keyed", gateway=0)
    assert [one.outcome for one in charged.attempts] == ["auth", "ok"]
    dead, alive = (one.credential_id for one in charged.attempts)
    assert {dead, alive} == set(world.credential_ids)
    until(lambda: [one.reason for one in world.served("keyed", gateway=1).passed_over or ()])
    with process(["scheduler"], environment, world.scratch / "scheduler.log"):
        until(lambda: any("is used again" in line for line in _told(world, start)))
    until(lambda: world.served("keyed", gateway=1).attempts[0].credential_id == dead)

    story = _told(world, start)
    print("\n".join(["", *story]))  # noqa: T201  the story is there to be read
    first, second = _names(world, dead, alive)
    used = story.index(f"{first} is used again: probe_succeeded")
    assert story.index(f"{first} is set aside: auth, 401") < used
    assert story.count(f"gateway 1: {first} failed (auth 401), {second} served") == 1
    assert f"gateway 2: gamma was passed over (credential_dead), {second} served" in story[:used]
    assert story[-1] == f"gateway 2: {first} served"
    assert not any("shut" in line for line in story)


def _providers(world: RoutingWorld, gateway: int) -> list[str]:
    return [one.provider for one in world.served("pair", gateway=gateway).attempts]


def _told(world: RoutingWorld, start: int) -> list[str]:
    return storyteller(world).tell(world.records(), after=start)


def _names(world: RoutingWorld, *credential_ids: UUID | None) -> list[str]:
    known = dict(zip(world.credential_ids, ("the first key", "the second key"), strict=True))
    return [known[one] for one in credential_ids if one is not None]
