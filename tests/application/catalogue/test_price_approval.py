"""Prices that two operators agree to: nothing is published by one alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from adapters.eventstore.store import PostgresEventStore
from application.catalogue import approve_prices, deny_prices, publish_prices
from application.catalogue.enable_preset import EnablePreset
from application.catalogue.enable_preset import handle as enable_preset
from application.catalogue.presets.enabling import Enabled
from application.catalogue.price_proposals import Published, is_stale, load_proposals, page_of
from application.command import Ports
from domain.catalogue.price_proposals import PRICE_PROPOSALS_STREAM, PricesChanged
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished, PriceText
from domain.fact import SYSTEM, Actor
from domain.refusal import BadField, SecondOperatorNeeded, WrongState
from domain.secret import Secret
from domain.topics import REGISTRY
from tests.databases import migrated_template
from tests.fakes import ManualClock, MemoryEventStore, memory_ports

ANNA, BERT = Actor("operator", UUID(int=1)), Actor("operator", UUID(int=2))
ONE = PriceText(input="1", cached_input="1", cache_write="1", output="2", request="0")
SOURCE = Path(publish_prices.__file__).parents[2]
AT_ONCE = 8


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def ports() -> Ports:
    return replace(memory_ports(allowlist=""), prices_need_approval=True)


@pytest.fixture
def ports_on_postgres(database_url: str, ports: Ports) -> Iterator[Ports]:
    with PostgresEventStore(database_url, connections_max=AT_ONCE) as store:
        yield replace(ports, store=store)


def publish(ports: Ports, alias: str = "big", *, by: Actor = ANNA, start_us: int | None = None) -> Published:
    command = publish_prices.PublishPrices(entries={alias: ONE}, note="december", effective_from_us=start_us)
    return publish_prices.handle(command, actor=by, ports=ports)


def proposed(ports: Ports, alias: str = "big", *, by: Actor = ANNA) -> UUID:
    made = publish(ports, alias, by=by)
    assert made.proposal_id is not None
    return made.proposal_id


def approve(ports: Ports, proposal_id: UUID, by: Actor = BERT) -> Published:
    command = approve_prices.ApprovePrices(proposal_id=proposal_id)
    return approve_prices.handle(command, actor=by, ports=ports)


def deny(ports: Ports, proposal_id: UUID, by: Actor = BERT) -> None:
    command = deny_prices.DenyPrices(proposal_id=proposal_id, reason="too dear")
    deny_prices.handle(command, actor=by, ports=ports)


def enable(ports: Ports, preset: str = "openai", by: Actor = ANNA) -> Enabled:
    command = EnablePreset(preset=preset, secret=Secret("sk-canary-0123456789"))
    return enable_preset(command, actor=by, ports=ports)


def versions(ports: Ports) -> list[PriceListPublished]:
    facts = [REGISTRY.decode(one.topic, one.state) for one in ports.store.read_stream(PRICE_LIST_STREAM)]
    return [one for one in facts if isinstance(one, PriceListPublished)]


def test_only_what_is_tried_here_writes_into_the_price_list() -> None:
    """Whatever else comes to publish prices must ask for the second operator too, and be tried here."""
    writing = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if "PRICE_LIST_STREAM" in (text := path.read_text())
        and any(call in text for call in ("execute(", "new_event("))
    }
    assert writing == {
        "application/catalogue/approve_prices.py",
        "application/catalogue/presets/enabling.py",
        "application/catalogue/price_proposals.py",  # reads the version
        "application/catalogue/publish_prices.py",
    }


@pytest.mark.parametrize("by", [ANNA, SYSTEM])
def test_nobody_publishes_alone(ports_on_postgres: Ports, by: Actor) -> None:
    """Neither an operator nor the command line, neither prices of their own nor those of a preset."""
    ports = ports_on_postgres
    proposal_id = proposed(ports, by=by)
    with pytest.raises(SecondOperatorNeeded):
        approve(ports, proposal_id, by)
    deny(ports, proposal_id, by)
    enabled = enable(ports, by=by)
    assert {one.price for one in enabled.models} == {"proposed"}
    waiting = load_proposals(ports.store).waiting
    assert waiting is not None
    with pytest.raises(SecondOperatorNeeded):
        approve(ports, waiting.proposed.proposal_id, by)
    assert versions(ports) == []


def test_many_who_agree_at_once_publish_once(ports_on_postgres: Ports) -> None:
    """All are told the same version; the prices and the agreement are in the log together."""
    ports = ports_on_postgres
    proposal_id = proposed(ports)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = list(pool.map(lambda _: approve(ports, proposal_id), range(AT_ONCE)))
    assert [one.version for one in told] == [1] * AT_ONCE
    assert sum(one.position is not None for one in told) == 1
    (published,) = versions(ports)
    assert (published.approved_by, published.actor, list(published.entries)) == (
        BERT.label,
        BERT.label,
        ["big"],
    )
    (_, agreed), (price,) = (
        ports.store.read_stream(stream) for stream in (PRICE_PROPOSALS_STREAM, PRICE_LIST_STREAM)
    )
    assert price.position == agreed.position + 1


def test_who_agrees_a_moment_later_is_told_the_same(ports: Ports) -> None:
    """Who approved while the log was read is not taken for somebody who published other prices."""
    proposal_id = proposed(ports)
    assert isinstance(ports.store, MemoryEventStore)
    ports.store.before_read[PRICE_LIST_STREAM] = lambda: approve(ports, proposal_id)
    assert approve(ports, proposal_id).version == 1


def test_what_was_compared_with_other_prices_is_not_published(ports_on_postgres: Ports) -> None:
    """Prices that came in between, however: it is denied, and proposed anew on what there is now."""
    ports = ports_on_postgres
    proposal_id = proposed(ports)
    publish(replace(ports, prices_need_approval=False), "other", by=BERT)
    with pytest.raises(PricesChanged) as refused:
        approve(ports, proposal_id)
    assert (refused.value.base_version, refused.value.list_version) == (0, 1)
    waiting = load_proposals(ports.store).waiting
    assert waiting is not None
    assert is_stale(ports.store, waiting)
    deny(ports, proposal_id)
    assert approve(ports, proposed(ports)).version == 2
    assert [list(one.entries) for one in versions(ports)] == [["other"], ["big"]]


def test_the_same_sent_twice_is_proposed_once(ports: Ports) -> None:
    """While it waits; other prices have to wait until it is decided."""
    assert proposed(ports) == proposed(ports)
    with pytest.raises(WrongState):
        publish(ports, "other")
    with pytest.raises(WrongState):
        publish(ports, by=BERT)


def test_what_cannot_be_published_is_not_proposed(ports: Ports) -> None:
    """Whoever writes it reads what is wrong, not who decides."""
    with pytest.raises(BadField):
        publish(ports, start_us=ports.clock.now_us() - 1)
    assert load_proposals(ports.store).waiting is None


def test_a_time_that_passes_meanwhile_becomes_that_of_the_approval(ports: Ports) -> None:
    """No price begins before somebody agreed to it; one for later begins when it was announced."""
    assert isinstance(ports.clock, ManualClock)
    begins_us = ports.clock.now_us() + 10
    for waits_us, expected_us in ((20, begins_us + 10), (3, begins_us + 30)):
        made = publish(ports, start_us=begins_us)
        ports.clock.us += waits_us
        assert made.proposal_id is not None
        approve(ports, made.proposal_id)
        assert versions(ports)[-1].effective_from_us == expected_us
        begins_us += 30


def test_a_preset_proposes_present_and_later_prices_together(ports: Ports) -> None:
    """Everything else of it is made ready; a second run has nothing to do, and after the approval it is as without one."""
    alone = memory_ports(allowlist="")
    enable(alone)
    enabled = enable(ports)
    assert {(one.deployment, one.price, one.route) for one in enabled.models} == {
        ("added", "proposed", "set")
    }
    again = enable(ports)
    assert (again.position, {one.price for one in again.models}) == (None, {"proposed"})
    waiting = load_proposals(ports.store).waiting
    assert waiting is not None
    told = approve(ports, waiting.proposed.proposal_id)
    assert told.version == len(versions(ports))
    assert [one.entries for one in versions(ports)] == [one.entries for one in versions(alone)]
    assert [one.note for one in versions(ports)] == [one.note for one in versions(alone)]
    assert {one.price for one in enable(ports).models} == {"kept"}


def test_a_preset_waits_for_prices_that_wait(ports: Ports) -> None:
    """Its models are there, without prices; once the others are decided, the same command proposes its own."""
    others = proposed(ports, "other")
    assert {one.price for one in enable(ports).models} == {"unpriced"}
    approve(ports, others)
    assert {one.price for one in enable(ports).models} == {"proposed"}


def test_proposals_are_listed_with_what_became_of_them(ports: Ports) -> None:
    """The newest first, in pages."""
    first = proposed(ports)
    deny(ports, first)
    second = proposed(ports, "other")
    approve(ports, second)
    third = proposed(ports, "third")
    page = page_of(ports.store, limit=2)
    assert [(one.proposal_id, one.state, one.decided_by) for one in page.items] == [
        (third, "waiting", None),
        (second, "approved", BERT.label),
    ]
    assert not any(one.is_stale for one in page.items)
    rest = page_of(ports.store, after=page.next_after)
    assert [(one.proposal_id, one.reason) for one in rest.items] == [(first, "too dear")]
    assert rest.next_after is None
