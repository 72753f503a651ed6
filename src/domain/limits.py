"""Limits of an account or an API key. `None` is no limit of its own; the narrower of both always applies."""

import msgspec

from domain.refusal import BadField
from domain.text import alias_name

LIMIT_MAX = 10**9
MODELS_MAX = 1_000


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How fast, how many at once, and which models."""

    rpm: int | None = None  #: requests per minute
    tpm: int | None = None  #: tokens per minute, prompt and answer
    concurrency: int | None = None  #: requests that are open at the same time
    models: tuple[str, ...] | None = None  #: alias names; an empty tuple allows none


NO_LIMITS = Limits()


def checked_limits(limits: Limits, *, within: Limits = NO_LIMITS) -> Limits:
    """The same limits with each model once, in order.

    A key may allow only models that its account (`within`) allows; this is checked again at every use.

    Raises:
        BadField: a number is not in 1..10^9, a name is no alias, or a model lies outside `within`.
    """
    for field in ("rpm", "tpm", "concurrency"):
        number = getattr(limits, field)
        if number is not None and not 1 <= number <= LIMIT_MAX:
            raise BadField(field, f"must be between 1 and {LIMIT_MAX}")
    if limits.models is None:
        return limits
    if len(limits.models) > MODELS_MAX:
        raise BadField("models", f"has more than {MODELS_MAX} names")
    for model in limits.models:
        alias_name(model, field="models")
    if within.models is not None and not set(limits.models) <= set(within.models):
        raise BadField("models", "has a name that the account does not allow")
    return msgspec.structs.replace(limits, models=tuple(sorted(set(limits.models))))
