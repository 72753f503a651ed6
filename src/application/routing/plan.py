"""Puts the deployments that may serve a request in the order to try them, and says why the others may not.

First what the request, the client and the account's policy rule out; then the order of the route's strategy, which the
client's wishes may change; then health: what is open, dead or resting is passed over. If health alone leaves nothing,
the open and the resting are tried all the same, since a refused request is no better than a failed one; the dead are not.
"""

import hashlib
import math
import struct
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final, Literal

import msgspec

from application.directory_views import Candidate, DeploymentView, RouteView
from application.routing.health import Health
from application.routing.speed import Speeds
from domain.catalogue.alias import Strategy
from domain.catalogue.deployment_spec import Operation
from domain.ledger.events import PassedOver
from domain.limits import ProviderPolicy

Reason = Literal[
    "not_allowed",  # by the policy of the key or the account
    "not_wanted",  # by the client
    "too_small",  # its context is shorter than the prompt may be
    "cannot",  # it does not offer what the request needs
    "breaker_open",
    "trial_under_way",
    "credential_dead",
    "credential_resting",
    "no_fallback",  # the client allows none
]
_HASHES: Final = 2**64 + 1


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks of the routing: OpenRouter's `provider` object. Providers by name."""

    order: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    allow_fallbacks: bool = True
    sort: Strategy | None = None


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a request needs of a deployment."""

    serving: frozenset[Operation]  #: a deployment that offers any of these can serve it
    expected_prompt_tokens: int  #: about what the prompt has, to compare costs
    output_tokens: int


class Planned(msgspec.Struct, frozen=True):
    """The candidates in order; empty if nothing may serve."""

    candidates: tuple[Candidate, ...]
    passed_over: tuple[PassedOver, ...] = ()


class Planner:
    """Plans for one process."""

    def __init__(self, *, health: Health, speeds: Speeds) -> None:
        self._health = health
        self._speeds = speeds

    def plan(
        self,
        route: RouteView,
        *,
        wishes: Wishes | None,
        policy: ProviderPolicy | None,
        needs: Needs,
        draw: float,
        now_us: int,
        now_s: float,
    ) -> Planned:
        """The order for one request. `draw`, in [0, 1), settles what is left to chance: the same draw, the same order."""
        is_plain = wishes is None and policy is None and self._health.is_all_well
        if is_plain and route.has_one_order and _is_possible(route, needs):
            return Planned(route.candidates)
        passed_over: list[PassedOver] = []
        wanted = self._possible(route.candidates, wishes, policy, needs, passed_over)
        strategy = route.strategy if wishes is None or wishes.sort is None else wishes.sort
        candidates = _in_turn(self._ordered(wanted, strategy, needs, draw, now_s), draw)
        if wishes is not None and wishes.order:
            candidates = _preferred(candidates, wishes.order)
        if not self._health.is_all_well:
            candidates = self._healthy(candidates, now_us, passed_over)
        if wishes is not None and not wishes.allow_fallbacks:
            passed_over += [_passed(one.deployment, "no_fallback") for one in candidates[1:]]
            candidates = candidates[:1]
        return Planned(tuple(candidates), tuple(passed_over))

    def _possible(
        self,
        candidates: Sequence[Candidate],
        wishes: Wishes | None,
        policy: ProviderPolicy | None,
        needs: Needs,
        passed_over: list[PassedOver],
    ) -> list[Candidate]:
        possible = []
        for one in candidates:
            reason = _impossible(one.deployment, wishes, policy, needs)
            if reason is None:
                possible.append(one)
            else:
                passed_over.append(_passed(one.deployment, reason))
        return possible

    def _ordered(
        self, candidates: list[Candidate], strategy: Strategy, needs: Needs, draw: float, now_s: float
    ) -> list[Candidate]:
        if len(candidates) < 2:  # noqa: PLR2004  one has no order
            return candidates
        key: Callable[[Candidate], float]
        if strategy == "ordered":
            return candidates
        if strategy == "weighted":
            return _by_weight(candidates, draw)
        speeds = self._speeds
        if strategy == "cheapest":
            key = lambda one: _cost(one.deployment, needs)  # noqa: E731  one key of several
        elif strategy == "fastest":
            key = lambda one: speeds.first_byte_s(one.deployment.deployment_id, now_s=now_s)  # noqa: E731
        else:
            key = lambda one: _slowness(speeds.tokens_s(one.deployment.deployment_id, now_s=now_s))  # noqa: E731
        return sorted(candidates, key=key)  # stable: equals keep the route's order

    def _healthy(
        self, ordered: list[Candidate], now_us: int, passed_over: list[PassedOver]
    ) -> list[Candidate]:
        candidates: list[Candidate] = []
        ill: list[Candidate] = []
        reasons: list[PassedOver] = []
        for candidate in ordered:
            one = candidate.deployment
            breaker = self._health.breaker(one.deployment_id)
            is_trial = breaker.state != "closed"
            reason: Reason
            if self._health.is_dead(one.credential_id, one.secret_version):
                passed_over.append(_passed(one, "credential_dead"))
                continue
            if is_trial and not breaker.wants_trial(now_us):
                reason = "breaker_open" if breaker.state == "open" else "trial_under_way"
            elif self._health.is_resting(one.credential_id):
                reason = "credential_resting"
            else:
                candidates.append(_tried(candidate, is_trial=is_trial))
                continue
            ill.append(_tried(candidate, is_trial=is_trial))
            reasons.append(_passed(one, reason))
        if not candidates:
            return ill
        passed_over += reasons
        return candidates


def _tried(candidate: Candidate, *, is_trial: bool) -> Candidate:
    return msgspec.structs.replace(candidate, is_trial=True) if is_trial else candidate


def _passed(deployment: DeploymentView, reason: Reason) -> PassedOver:
    return PassedOver(deployment_id=deployment.deployment_id, provider=deployment.provider, reason=reason)


def _impossible(
    one: DeploymentView, wishes: Wishes | None, policy: ProviderPolicy | None, needs: Needs
) -> Reason | None:
    if policy is not None and not policy.allows(one.provider):
        return "not_allowed"
    if wishes is not None and (
        one.provider in wishes.ignore or (wishes.only is not None and one.provider not in wishes.only)
    ):
        return "not_wanted"
    if needs.serving.isdisjoint(one.serves):
        return "cannot"
    if needs.expected_prompt_tokens > one.context_tokens:
        return "too_small"
    return None


def _is_possible(route: RouteView, needs: Needs) -> bool:
    """Whether every deployment can serve such a request."""
    return needs.expected_prompt_tokens <= route.context_tokens_min and not needs.serving.isdisjoint(
        route.served_by_all
    )


def _preferred(ordered: list[Candidate], order: tuple[str, ...]) -> list[Candidate]:
    place = {provider: number for number, provider in enumerate(order)}
    return sorted(ordered, key=lambda one: place.get(one.deployment.provider, len(order)))


def _in_turn(ordered: list[Candidate], draw: float) -> list[Candidate]:
    """The credentials of one deployment share its requests; they stand next to each other."""
    if not any(one.deployment.shares for one in ordered):
        return ordered
    turned: list[Candidate] = []
    for _, group in groupby(ordered, key=lambda one: one.deployment.deployment_id):
        same = list(group)
        first = int(draw * len(same))
        turned += same[first:] + same[:first]
    return turned


def _by_weight(candidates: list[Candidate], draw: float) -> list[Candidate]:
    """Weighted rendezvous: a share of all draws by weight, and a draw moves only if its own deployment goes.

    Those without a weight come last, in the route's order.
    """
    weighed = [one for one in candidates if one.deployment.weight]
    salt = struct.pack("<d", draw)
    weighed.sort(key=lambda one: _score(salt, one.deployment), reverse=True)
    return [*weighed, *(one for one in candidates if not one.deployment.weight)]


def _score(salt: bytes, one: DeploymentView) -> float:
    digest = hashlib.blake2b(one.deployment_id.bytes, digest_size=8, key=salt).digest()
    return -one.weight / math.log((int.from_bytes(digest, "big") + 1) / _HASHES)


def _cost(one: DeploymentView, needs: Needs) -> float:
    """What the provider takes for such a request; what is not known comes last."""
    cost = one.cost
    if cost is None:
        return float("inf")
    tokens = cost.tokens_for(needs.expected_prompt_tokens)
    return (
        needs.expected_prompt_tokens * tokens.input_nano_per_million
        + needs.output_tokens * tokens.output_nano_per_million
        + cost.request_nano_per_million
    )


def _slowness(tokens_s: float) -> float:
    return -1.0 if tokens_s < 0 else 1 / max(tokens_s, 0.001)
