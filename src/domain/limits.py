"""Limits of an account or an API key. `None` is no limit of its own; the narrower of both always applies."""

import msgspec

from domain.refusal import BadField
from domain.text import alias_name, slug

LIMIT_MAX = 10**9
MODELS_MAX = 1_000
PROVIDERS_MAX = 200


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How fast, how many at once, which models and whose."""

    rpm: int | None = None  #: requests per minute
    tpm: int | None = None  #: tokens per minute, prompt and answer
    concurrency: int | None = None  #: requests that are open at the same time
    models: tuple[str, ...] | None = None  #: alias names; an empty tuple allows none
    allowed_providers: tuple[str, ...] | None = None  #: names of providers; an empty tuple allows none
    denied_providers: tuple[str, ...] = ()  #: also if they are allowed


NO_LIMITS = Limits()


def checked_limits(limits: Limits, *, within: Limits = NO_LIMITS) -> Limits:
    """The same limits with each name once, in order.

    A key may allow only what its account (`within`) allows; this is checked again at every use.

    Raises:
        BadField: a number is not in 1..10^9, a name is none, or a model or provider lies outside `within`.
    """
    for field in ("rpm", "tpm", "concurrency"):
        number = getattr(limits, field)
        if number is not None and not 1 <= number <= LIMIT_MAX:
            raise BadField(field, f"must be between 1 and {LIMIT_MAX}")
    if limits == NO_LIMITS:
        return limits
    return msgspec.structs.replace(
        limits,
        models=_checked_models(limits, within),
        allowed_providers=_checked_allowed(limits, within),
        denied_providers=_checked_providers("denied_providers", limits.denied_providers),
    )


def _checked_models(limits: Limits, within: Limits) -> tuple[str, ...] | None:
    if limits.models is None:
        return None
    if len(limits.models) > MODELS_MAX:
        raise BadField("models", f"has more than {MODELS_MAX} names")
    for model in limits.models:
        alias_name(model, field="models")
    if within.models is not None and not set(limits.models) <= set(within.models):
        raise BadField("models", "has a name that the account does not allow")
    return tuple(sorted(set(limits.models)))


def _checked_allowed(limits: Limits, within: Limits) -> tuple[str, ...] | None:
    if limits.allowed_providers is None:
        return None
    allowed = _checked_providers("allowed_providers", limits.allowed_providers)
    if within.allowed_providers is not None and not set(allowed) <= set(within.allowed_providers):
        raise BadField("allowed_providers", "has a name that the account does not allow")
    return allowed


def _checked_providers(field: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) > PROVIDERS_MAX:
        raise BadField(field, f"has more than {PROVIDERS_MAX} names")
    return tuple(sorted({slug(name, field=field) for name in names}))


class ProviderPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which providers may serve; none allows all."""

    allowed: frozenset[str] | None = None
    denied: frozenset[str] = frozenset()

    def allows(self, provider: str) -> bool:
        return provider not in self.denied and (self.allowed is None or provider in self.allowed)

    def and_also(self, other: "ProviderPolicy") -> "ProviderPolicy":
        """Both at once."""
        return ProviderPolicy(allowed=_both(self.allowed, other.allowed), denied=self.denied | other.denied)


def policy_of(limits: Limits) -> ProviderPolicy | None:
    """The policy in these limits; none if they have none, as nearly always."""
    if limits.allowed_providers is None and not limits.denied_providers:
        return None
    allowed = limits.allowed_providers
    return ProviderPolicy(
        allowed=None if allowed is None else frozenset(allowed), denied=frozenset(limits.denied_providers)
    )


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None:
        return other
    return one if other is None else one & other
