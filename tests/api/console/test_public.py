"""What anybody sees without signing in, and that nothing else is in it."""

from typing import cast

import pytest

from api.console.languages import LANGUAGES, TAGS
from application.announcements import set_announcement
from application.catalogue import (
    add_deployment,
    disable_deployment,
    disable_provider,
    publish_prices,
    register_provider,
    set_route,
)
from demo_seed import PRICE
from domain.announcements import Audience, Words
from domain.fact import SYSTEM
from tests.api.console.conftest import ACCOUNT, World, make_world

PAGES = ("/", "/models", "/status")


def with_model(
    world: World, name: str = "fast", *, provider_name: str = "hidden-provider"
) -> add_deployment.AddDeployment:
    """Served by one deployment of a provider that nobody outside knows."""
    ports = world.process.ports
    provider = register_provider.RegisterProvider(
        name=provider_name,
        base_url="https://upstream.example/v1",
        dialect="openai",
        usage_dialect="openai",
        trains_on_data=False,
        retention_days=0,
    )
    provider_id = register_provider.handle(provider, actor=SYSTEM, ports=ports).id
    deployment = add_deployment.AddDeployment(
        provider_id=provider_id,
        upstream_model="secret-model-name",
        context_tokens=1_000,
        output_tokens_max=100,
        deployment_id=ports.ids.new(),
    )
    add_deployment.handle(deployment, actor=SYSTEM, ports=ports)
    assert deployment.deployment_id is not None
    target = set_route.Target(deployment_id=deployment.deployment_id)
    set_route.handle(set_route.SetRoute(alias=name, targets=(target,)), actor=SYSTEM, ports=ports)
    prices = publish_prices.PublishPrices(entries={name: PRICE}, note="test")
    publish_prices.handle(prices, actor=SYSTEM, ports=ports)
    return deployment


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_for_anybody_are_in_their_language(world: World, language: str) -> None:
    """Without signing in; signed in the first page is one's own."""
    world.client.cookies.clear()
    for path in PAGES:
        page = world.get(path, **{"accept-language": language})
        assert page.status_code == 200, path
        assert f'<html lang="{TAGS[language]}"' in page.text
        assert "noindex" not in page.text
    world.as_member("viewer")
    assert world.get("/").headers["location"] == f"/app/{ACCOUNT}"
    assert world.get("/models").status_code == 200


def test_they_can_be_switched_off(database_url: str) -> None:
    """The first page is then the sign-in, and the others are not there."""
    with make_world(database_url, public_pages="off") as world:
        assert world.get("/").headers["location"] == "/sign-in"
        assert [world.get(path).status_code for path in PAGES[1:]] == [404, 404]


def test_only_what_can_be_asked_is_sold(world: World) -> None:
    """With its price; nothing tells who serves it."""
    deployment = with_model(world)
    world.refresh()
    world.client.cookies.clear()
    for path in PAGES:
        text = world.client.get(path).text
        assert "fast" in text, path
        assert "hidden-provider" not in text
        assert "secret-model-name" not in text
    assert "1.50" in world.client.get("/models").text
    assert "Healthy" in world.client.get("/status").text
    assert deployment.deployment_id is not None
    command = disable_deployment.DisableDeployment(deployment_id=deployment.deployment_id, reason="x")
    disable_deployment.handle(command, actor=SYSTEM, ports=world.process.ports)
    world.refresh()
    assert "Not available" in world.client.get("/status").text


def test_a_model_of_a_provider_that_is_off_is_not_called_well(world: World) -> None:
    """As little as one whose deployment is off; beside one that answers, some cannot be asked."""
    off = with_model(world)
    command = disable_provider.DisableProvider(provider_id=off.provider_id, reason="x")
    disable_provider.handle(command, actor=SYSTEM, ports=world.process.ports)
    world.refresh()
    world.client.cookies.clear()
    assert "Not available" in world.client.get("/status").text
    with_model(world, "other", provider_name="another-provider")
    world.refresh()
    assert "Some models cannot be asked at the moment" in world.client.get("/status").text


def test_the_status_tells_what_operators_announce_to_all(world: World) -> None:
    """What is meant for customers is not on it."""
    for title, audience in (("To all of you", "public"), ("To customers", "customers")):
        command = set_announcement.SetAnnouncement(
            texts={"en": Words(title=title)}, audience=cast("Audience", audience)
        )
        set_announcement.handle(command, actor=SYSTEM, ports=world.process.ports)
    world.refresh()
    text = world.client.get("/status").text
    assert "To all of you" in text
    assert "To customers" not in text


@pytest.mark.parametrize(
    "path", [*PAGES, "/sign-in", "/healthz", "/nowhere", "/console", "/assets/console.css"]
)
def test_head_answers_as_get_without_a_body(world: World, path: str) -> None:
    """Monitors ask so: the same status and headers, whether the page is there, closed or missing."""
    world.client.cookies.clear()
    asked = world.client.get(path, follow_redirects=False)
    world.client.cookies.clear()
    head = world.client.head(path, follow_redirects=False)
    assert head.status_code == asked.status_code != 405
    for name in ("content-type", "content-length", "location", "content-security-policy", "cache-control"):
        assert head.headers.get(name) == asked.headers.get(name), name
    assert head.content == b""


def test_head_of_a_page_that_only_takes_forms_is_no_page(world: World) -> None:
    """It is asked as the page is, which leads to where the form is; nothing is done."""
    world.as_staff("admin")
    assert world.client.head("/sign-out", follow_redirects=False).status_code == 303
    assert world.get("/console").status_code == 200
