"""Deployments as the planner sees them."""

from typing import Any
from uuid import UUID

from application.directory_views import DeploymentView, RouteView
from application.upstream import parse_url
from domain.catalogue.base_url import parse_base_url
from domain.catalogue.deployment_spec import Timeouts
from domain.pricing import Price

_BASE = "https://one.example/v1"


def deployment(number: int, provider: str = "one", **changes: Any) -> DeploymentView:
    """One with this number as its id; `changes` are fields of the view."""
    fields: dict[str, Any] = {
        "deployment_id": UUID(int=number),
        "provider_id": UUID(int=1000),
        "provider": provider,
        "dialect": "openai",
        "usage_dialect": "openai",
        "base_url": parse_base_url(_BASE),
        "chat_url": parse_url(f"{_BASE}/chat/completions"),
        "authorization": None,
        "upstream_model": f"model-{number}",
        "context_tokens": 1_000,
        "output_tokens_max": 100,
        "output_field": "max_tokens",
        "timeouts": Timeouts(),
        "weight": 0,
    }
    return DeploymentView(**(fields | changes))


def cost(input_nano: int, output_nano: int = 0, *, request_nano: int = 0) -> Price:
    """What a provider takes for a million of each."""
    return Price(
        input_nano_per_million=input_nano,
        cached_input_nano_per_million=0,
        cache_write_nano_per_million=0,
        output_nano_per_million=output_nano,
        request_nano_per_million=request_nano,
    )


def route(alias: str, *deployments: DeploymentView, **changes: Any) -> RouteView:
    """One with these deployments in this order; `changes` are fields of the view."""
    fields: dict[str, Any] = {
        "alias": alias,
        "route": alias,
        "deployments": deployments,
        "prices": (),
        "route_prices": (),
        "created_s": 1,
    }
    return RouteView(**(fields | changes))
