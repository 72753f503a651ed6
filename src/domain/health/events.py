"""All facts of health, for the registry of topics."""

from domain.event import Event
from domain.health.breaker import BREAKER_EVENTS
from domain.health.credential import CONDITION_EVENTS
from domain.health.probe import PROBE_EVENTS

HEALTH_EVENTS: tuple[type[Event], ...] = (*BREAKER_EVENTS, *CONDITION_EVENTS, *PROBE_EVENTS)
