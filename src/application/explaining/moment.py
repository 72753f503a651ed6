"""How accounts, keys and prices were at a point in the log: their usual folds over the events up to there."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from application.clock import Clock
from application.command import fold
from application.eventlog import EventStore
from application.explaining.as_of import AsOf
from domain import accounts
from domain.accounts import AccountStatus
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.keys import key as keys
from domain.limits import Limits
from domain.pricing import PriceInForce
from domain.refusal import NotFound
from domain.topics import REGISTRY

_T = TypeVar("_T")


class AccountThen(msgspec.Struct, frozen=True, kw_only=True):
    """Who might spend, and how fast."""

    account_id: UUID
    status: AccountStatus
    limits: Limits


class KeyThen(msgspec.Struct, frozen=True, kw_only=True):
    """What a key was allowed; its secrets by their beginnings."""

    key_id: UUID
    account_id: UUID
    prefixes: tuple[str, ...]
    limits: Limits
    expires_us: int | None
    revoked: bool


class PriceThen(msgspec.Struct, frozen=True, kw_only=True):
    """The price in force, and what was announced for later by then."""

    alias: str
    in_force: PriceInForce | None
    announced: tuple[PriceInForce, ...]


def account_at(store: EventStore, account_id: UUID, *, as_of: AsOf) -> AccountThen:
    """Raises `NotFound`: there was no such account then."""
    found = accounts.existing(_state(store, account_id, accounts.evolve, as_of))
    return AccountThen(account_id=found.account_id, status=found.status, limits=found.limits)


def key_at(store: EventStore, key_id: UUID, *, as_of: AsOf) -> KeyThen:
    """Raises `NotFound`: there was no such key then."""
    found = _state(store, key_id, keys.evolve, as_of)
    if found is None:
        raise NotFound("API key", key_id)
    return KeyThen(
        key_id=found.key_id,
        account_id=found.account_id,
        prefixes=tuple(secret.prefix for secret in found.secrets),
        limits=found.limits,
        expires_us=found.expires_us,
        revoked=found.revoked,
    )


def price_at(store: EventStore, alias: str, *, as_of: AsOf, clock: Clock) -> PriceThen:
    """The price of a model by the publications up to there.

    Raises:
        NotFound: it had none, or there is no event at the position.
    """
    now_us = _moment_us(store, as_of, clock)
    known = sorted(_published(store, alias, as_of), key=lambda one: (one.effective_from_us, one.version))
    if not known:
        raise NotFound("price of", alias)
    begun = [one for one in known if one.effective_from_us <= now_us]
    return PriceThen(alias=alias, in_force=begun[-1] if begun else None, announced=tuple(known[len(begun) :]))


def _published(store: EventStore, alias: str, as_of: AsOf) -> list[PriceInForce]:
    found = []
    for recorded in store.read_stream(PRICE_LIST_STREAM):
        event = REGISTRY.decode(recorded.topic, recorded.state)
        if as_of.covers(recorded) and isinstance(event, PriceListPublished) and alias in event.entries:
            found.append(
                PriceInForce(
                    version=recorded.version,
                    effective_from_us=event.effective_from_us,
                    markup_ppm=event.markup_ppm,
                    price=event.entries[alias],
                )
            )
    return found


def _moment_us(store: EventStore, as_of: AsOf, clock: Clock) -> int:
    """The instant of a point: of a position, when its event was recorded."""
    if as_of.recorded_us is not None:
        return as_of.recorded_us
    if as_of.position is None:
        return clock.now_us()
    events = store.read_log(after_position=as_of.position - 1, limit=1)
    if not events or events[0].position != as_of.position:
        raise NotFound("event at position", as_of.position)
    return events[0].recorded_at_us


def _state(
    store: EventStore, stream_id: UUID, evolve: Callable[[_T | None, Any], _T], as_of: AsOf
) -> _T | None:
    events = [recorded for recorded in store.read_stream(stream_id) if as_of.covers(recorded)]
    return fold(events, None, evolve)
