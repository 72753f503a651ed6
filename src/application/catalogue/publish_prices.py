"""Publish a version of the price list, or propose it where that takes two operators."""

from typing import ClassVar

from application.catalogue.price_proposals import Published, propose
from application.command import Command, Ports, execute, stamp
from domain.catalogue import prices as rules
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceList, PriceText
from domain.fact import Actor
from domain.operators import Permission
from domain.pricing import NO_MARKUP_PPM


class PublishPrices(Command, frozen=True, kw_only=True):
    """Prices of some aliases from a time on. `Published.version` is the price version."""

    permission: ClassVar[Permission] = "prices"

    entries: dict[str, PriceText]  #: by alias
    note: str
    markup_ppm: int = NO_MARKUP_PPM
    effective_from_us: int | None = None  #: Unix microseconds; none means now


def handle(command: PublishPrices, *, actor: Actor, ports: Ports) -> Published:
    """Publish it in the actor's name, or let it wait for another operator where `ports.prices_need_approval`.

    Raises:
        BadField: as `prices.publish`.
        WrongState: other prices wait.
    """
    at = stamp(ports, actor)
    if ports.prices_need_approval:
        publication = rules.checked(
            entries=command.entries,
            markup_ppm=command.markup_ppm,
            effective_from_us=command.effective_from_us,
            now_us=at.now_us,
        )
        return propose([publication], note=command.note, actor=actor, ports=ports)
    done = execute(
        ports.store,
        PRICE_LIST_STREAM,
        PriceList(),
        rules.evolve,
        lambda _prices: rules.publish(
            entries=command.entries,
            markup_ppm=command.markup_ppm,
            effective_from_us=command.effective_from_us,
            approved_by=actor.label,
            note=command.note,
            stamp=at,
        ),
    )
    return Published(version=done.version, position=done.position)
