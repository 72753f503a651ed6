"""Why a request would go where it goes: the gateway's own planner, asked about a request that nobody has made.

What a process has seen of speed by itself is not in the log, so orders by speed are those of a process that has just started.
"""

from collections import Counter
from typing import Final, Literal
from uuid import UUID

import msgspec

from application.clock import Clock
from application.directory import Directory
from application.directory_views import Candidate, DeploymentView, RouteView
from application.routing.health import Health
from application.routing.plan import Needs, Planned, Planner, Wishes
from application.routing.speed import Speeds
from domain.catalogue.alias import RouteTarget, Strategy
from domain.catalogue.deployment_spec import Operation
from domain.limits import ProviderPolicy, policy_of
from domain.pricing import Bounds, PriceInForce, hold_nano

DRAWS: Final = 400
"""How many conversations the shares of a weighted route are counted over."""
Stop = Literal[
    "no_model",
    "account_not_open",
    "key_revoked",
    "key_expired",
    "model_not_allowed",
    "no_price",
    "not_served",
    "no_deployment",
]
Unusable = Literal[
    "deployment_disabled", "provider_disabled", "credential_revoked", "credential_elsewhere", "no_secret"
]


class RouteQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A request as far as routing goes by it. With a key, its account is the key's."""

    alias: str
    account_id: UUID | None = None
    key_id: UUID | None = None
    operation: Operation = "chat"
    prompt_tokens: int = 1_000
    output_tokens: int = 1_000
    wishes: Wishes | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment of the route, and why it is not tried; none: it is, in this order."""

    deployment_id: UUID
    provider: str
    model: str
    reason: str | None = None
    share: float = 0.0  #: of conversations that it is tried first for
    is_trial: bool = False


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen. `stops` are rules that refuse the request before anything is tried, in their order."""

    stops: tuple[Stop, ...]
    route: str | None = None  #: whose route it is, where the alias points elsewhere
    strategy: Strategy = "ordered"
    price: PriceInForce | None = None
    hold_nano: int | None = None  #: the most that it can cost
    tried: tuple[Place, ...] = ()
    passed_over: tuple[Place, ...] = ()


class Simulator:
    """Reads a directory and what the log says of health. On the event loop that owns both."""

    def __init__(self, *, directory: Directory, health: Health, clock: Clock) -> None:
        self._directory = directory
        self._planner = Planner(health=health, speeds=Speeds())
        self._clock = clock

    def ask(self, question: RouteQuestion) -> Simulation:
        """Never raises: what is not there is a stop."""
        now_us = self._clock.now_us()
        route = self._directory.alias(question.alias)
        stops = self._stops(question, now_us=now_us)
        if route is None:
            return Simulation(stops=("no_model", *stops))
        price = route.price_at(now_us)
        planned = self._planned(route, question, draw=0.0, now_us=now_us)
        if price is None:
            stops.append("no_price")
        if not route.deployments:
            stops.append("not_served")
        elif not planned.candidates:
            stops.append("no_deployment")
        return Simulation(
            stops=tuple(stops),
            route=None if route.route == question.alias else route.route,
            strategy=_strategy(route, question),
            price=price,
            hold_nano=None if price is None else _worst_nano(question, price),
            tried=self._tried(route, question, planned, now_us=now_us),
            passed_over=(*_passed(route, planned), *self._unusable(route)),
        )

    def _stops(self, question: RouteQuestion, *, now_us: int) -> list[Stop]:
        directory, stops = self._directory, list[Stop]()
        key = None if question.key_id is None else directory.keys.get(question.key_id)
        account_id = question.account_id if key is None else key.account_id
        account = None if account_id is None else directory.account(account_id)
        if account is not None and account.status != "open":
            stops.append("account_not_open")
        if key is not None and key.revoked:
            stops.append("key_revoked")
        if key is not None and key.expires_us is not None and key.expires_us <= now_us:
            stops.append("key_expired")
        allowed = [None if key is None else key.limits.models, None if account is None else account.models]
        if any(models is not None and question.alias not in models for models in allowed):
            stops.append("model_not_allowed")
        return stops

    def _policy(self, question: RouteQuestion) -> ProviderPolicy | None:
        key = None if question.key_id is None else self._directory.keys.get(question.key_id)
        account_id = question.account_id if key is None else key.account_id
        account = None if account_id is None else self._directory.account(account_id)
        policies = [
            one
            for one in (
                None if key is None else policy_of(key.limits),
                None if account is None else account.policy,
            )
            if one is not None
        ]
        if not policies:
            return None
        return policies[0] if len(policies) == 1 else policies[0].and_also(policies[1])

    def _planned(self, route: RouteView, question: RouteQuestion, *, draw: float, now_us: int) -> Planned:
        return self._planner.plan(
            route,
            wishes=question.wishes,
            policy=self._policy(question),
            needs=Needs(
                serving=frozenset((question.operation,)),
                expected_prompt_tokens=question.prompt_tokens,
                output_tokens=question.output_tokens,
            ),
            draw=draw,
            now_us=now_us,
            now_s=self._clock.monotonic_s(),
        )

    def _tried(
        self, route: RouteView, question: RouteQuestion, planned: Planned, *, now_us: int
    ) -> tuple[Place, ...]:
        firsts: Counter[UUID] = Counter()
        for number in range(DRAWS if route.needs_draw else 1):
            drawn = self._planned(route, question, draw=number / DRAWS, now_us=now_us).candidates
            firsts.update(one.deployment.deployment_id for one in drawn[:1])
        places = [_place(one, firsts) for one in _once_each(planned.candidates)]
        return tuple(sorted(places, key=lambda one: -one.share))  # stable: equals stay in the plan's order

    def _unusable(self, route: RouteView) -> list[Place]:
        """What the route lists and no request can be sent to."""
        known = self._directory.aliases.get(route.route)
        usable = {one.deployment_id for one in route.deployments}
        missing = [one for one in (known.targets if known else ()) if one.deployment_id not in usable]
        return [self._why(target) for target in missing]

    def _why(self, target: RouteTarget) -> Place:
        directory = self._directory
        deployment = directory.deployments[target.deployment_id]
        provider = directory.providers[deployment.provider_id]
        credential_id = deployment.spec.credential_id
        credential = None if credential_id is None else directory.credentials.get(credential_id)
        reason: Unusable = "no_secret"
        if deployment.disabled:
            reason = "deployment_disabled"
        elif provider.disabled:
            reason = "provider_disabled"
        elif credential is not None and credential.revoked:
            reason = "credential_revoked"
        elif credential is not None and directory.needs_reentry(credential):
            reason = "credential_elsewhere"
        return Place(
            deployment_id=target.deployment_id,
            provider=provider.name,
            model=deployment.spec.upstream_model,
            reason=reason,
        )


def _strategy(route: RouteView, question: RouteQuestion) -> Strategy:
    wished = None if question.wishes is None else question.wishes.sort
    return route.strategy if wished is None else wished


def _worst_nano(question: RouteQuestion, price: PriceInForce) -> int:
    bounds = Bounds(prompt_tokens=question.prompt_tokens, output_tokens=question.output_tokens)
    return hold_nano(bounds, price.price, price.markup_ppm)


def _once_each(candidates: tuple[Candidate, ...]) -> list[Candidate]:
    """A deployment with several credentials is one place."""
    return list({one.deployment.deployment_id: one for one in reversed(candidates)}.values())[::-1]


def _place(candidate: Candidate, firsts: Counter[UUID]) -> Place:
    one = candidate.deployment
    return Place(
        deployment_id=one.deployment_id,
        provider=one.provider,
        model=one.upstream_model,
        share=firsts[one.deployment_id] / max(1, firsts.total()),
        is_trial=candidate.is_trial,
    )


def _passed(route: RouteView, planned: Planned) -> list[Place]:
    models: dict[UUID, DeploymentView] = {one.deployment_id: one for one in route.deployments}
    return [
        Place(
            deployment_id=one.deployment_id,
            provider=one.provider,
            model=models[one.deployment_id].upstream_model,
            reason=one.reason,
        )
        for one in planned.passed_over
    ]
