"""All facts of the catalogue, for the registry of topics."""

from domain.catalogue.alias import ALIAS_EVENTS
from domain.catalogue.credential import CREDENTIAL_EVENTS
from domain.catalogue.deployment import DEPLOYMENT_EVENTS
from domain.catalogue.price_proposals import PRICE_PROPOSAL_EVENTS
from domain.catalogue.prices import PRICE_LIST_EVENTS
from domain.catalogue.provider import PROVIDER_EVENTS
from domain.event import Event

CATALOGUE_EVENTS: tuple[type[Event], ...] = (
    *PROVIDER_EVENTS,
    *CREDENTIAL_EVENTS,
    *DEPLOYMENT_EVENTS,
    *ALIAS_EVENTS,
    *PRICE_LIST_EVENTS,
    *PRICE_PROPOSAL_EVENTS,
)
