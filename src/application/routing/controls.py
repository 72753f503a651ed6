"""What a client may say to the gateway: the members `models`, `provider` and `usage`, as OpenRouter has them.

They are for us: none is ever sent on. What is not known here is refused, since a client that asks for no training on
its data must not take silence for a yes.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from application.routing.plan import Wishes
from application.wire.errors import InvalidRequest
from application.wire.head import MODEL_CHARS_MAX
from application.wire.spending import CONTROLS
from application.wire.splice import without_member
from domain.catalogue.alias import Strategy
from domain.decimals import nano
from domain.pricing import Price
from domain.refusal import BadField

MODELS_MAX: Final = 10
PROVIDERS_MAX: Final = 50
_MEMBERS: Final = frozenset(CONTROLS)
_SORTS: Final[Mapping[str, Strategy]] = {
    "price": "cheapest",
    "throughput": "throughput",
    "latency": "fastest",
}
_PROVIDER: Final = frozenset(
    {"order", "only", "ignore", "allow_fallbacks", "sort", "max_price", "require_parameters"}
)
_USAGE: Final = frozenset({"include"})
_WHOLE_PPM: Final = 10**12


class MaxPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a client pays, in nano-credits: for a million tokens, for a request, for an image."""

    prompt_nano: int | None = None
    completion_nano: int | None = None
    request_nano: int | None = None
    image_nano: int | None = None

    def allows(self, price: Price, *, factor_ppm: int, markup_ppm: int, prompt_tokens: int) -> bool:
        """Whether the price keeps below in every tier that so long a prompt may reach.

        A prompt's tokens are compared at the price of fresh ones; writing them to a cache may cost more.
        """
        factor = factor_ppm * markup_ppm
        tokens = [price, *(tier for tier in price.tiers if tier.above_input_tokens < prompt_tokens)]
        return (
            _within(self.prompt_nano, max(one.input_nano_per_million for one in tokens), factor)
            and _within(self.completion_nano, max(one.output_nano_per_million for one in tokens), factor)
            and _within(_million(self.request_nano), price.request_nano_per_million, factor)
            and _within(_million(self.image_nano), price.dearest_image_nano_per_million, factor)
        )


class Controls(msgspec.Struct, frozen=True, kw_only=True):
    """What one request says of its routing, and of its answer."""

    models: tuple[str, ...] = ()  #: aliases to try after the request's own, in order
    wishes: Wishes | None = None
    max_price: MaxPrice | None = None
    require_parameters: bool = False  #: no deployment that would drop a member of the request
    cost_wanted: bool = False  #: its charge in the usage of its answer


NO_CONTROLS: Final = Controls()


def has_controls(unpriced: tuple[str, ...]) -> bool:
    """Whether a request says something to the gateway; `unpriced` are the members that its head found."""
    return bool(unpriced) and not _MEMBERS.isdisjoint(unpriced)


def without_controls(body: bytes) -> bytes:
    """The body as it may go on; every other byte as it was."""
    for name in CONTROLS:
        body = without_member(body, name)
    return body


def read_controls(request: Mapping[str, Any]) -> Controls:
    """What a parsed body asks for.

    Raises:
        InvalidRequest: a member is malformed or not known; `param` names it.
    """
    models = _names(request, "models", "models", most=MODELS_MAX) or ()
    for model in models:
        if not model or len(model) > MODEL_CHARS_MAX or not model.isprintable():
            raise InvalidRequest("invalid_value", "models", "'models' has what is no model's name.")
    cost_wanted = _cost_wanted(request.get("usage"))
    provider = request.get("provider")
    if provider is None:
        return Controls(models=models, cost_wanted=cost_wanted) if models or cost_wanted else NO_CONTROLS
    if type(provider) is not dict:
        raise _wrong_type("provider", "an object")
    _refuse_unknown(provider, _PROVIDER, "provider")
    return Controls(
        models=models,
        wishes=_wishes(provider),
        max_price=_max_price(provider),
        require_parameters=_flag(provider, "require_parameters", otherwise=False),
        cost_wanted=cost_wanted,
    )


def _cost_wanted(usage: Any) -> bool:
    if usage is None:
        return False
    if type(usage) is not dict:
        raise _wrong_type("usage", "an object")
    _refuse_unknown(usage, _USAGE, "usage")
    return _flag(usage, "include", of="usage", otherwise=False)


def _wishes(provider: Mapping[str, Any]) -> Wishes:
    only = _names(provider, "only", "provider.only", most=PROVIDERS_MAX)
    return Wishes(
        order=_names(provider, "order", "provider.order", most=PROVIDERS_MAX) or (),
        only=None if only is None else frozenset(only),
        ignore=frozenset(_names(provider, "ignore", "provider.ignore", most=PROVIDERS_MAX) or ()),
        allow_fallbacks=_flag(provider, "allow_fallbacks", otherwise=True),
        sort=_sort(provider),
    )


def _sort(provider: Mapping[str, Any]) -> Strategy | None:
    sort = provider.get("sort")
    if sort is None:
        return None
    if type(sort) is not str:
        raise _wrong_type("provider.sort", "a string")
    if sort not in _SORTS:
        raise InvalidRequest(
            "invalid_value", "provider.sort", f"'provider.sort' must be one of {', '.join(_SORTS)}."
        )
    return _SORTS[sort]


def _max_price(provider: Mapping[str, Any]) -> MaxPrice | None:
    most = provider.get("max_price")
    if most is None:
        return None
    if type(most) is not dict:
        raise _wrong_type("provider.max_price", "an object")
    fields = {name.removesuffix("_nano"): name for name in MaxPrice.__struct_fields__}
    _refuse_unknown(most, frozenset(fields), "provider.max_price")
    return MaxPrice(**{fields[name]: _credits(name, value) for name, value in most.items()})


def _credits(name: str, value: Any) -> int | None:
    """A number, or a decimal in a string, as nano-credits."""
    param = f"provider.max_price.{name}"
    if value is None:
        return None
    if type(value) not in (int, float, str):
        raise _wrong_type(param, "a number or a decimal in a string")
    text = value if isinstance(value, str) else _plain(value)
    try:
        return nano(text, field=param)
    except BadField as fault:
        raise InvalidRequest("invalid_value", param, f"'{param}' {fault.reason}.") from None


def _plain(number: float) -> str:
    """Without an exponent; more decimals than prices have are cut, which only lowers what is allowed."""
    if type(number) is int:
        return str(number)
    whole, _, decimals = f"{number:.12f}".partition(".")
    return f"{whole}.{decimals[:9]}"


def _names(holder: Mapping[str, Any], name: str, param: str, *, most: int) -> tuple[str, ...] | None:
    names = holder.get(name)
    if names is None:
        return None
    if type(names) is not list or any(type(one) is not str for one in names):
        raise _wrong_type(param, "an array of strings")
    if len(names) > most:
        raise InvalidRequest("invalid_value", param, f"'{param}' has more than {most} names.")
    return tuple(names)


def _flag(holder: Mapping[str, Any], name: str, *, otherwise: bool, of: str = "provider") -> bool:
    value = holder.get(name)
    if value is None:
        return otherwise
    if type(value) is not bool:
        raise _wrong_type(f"{of}.{name}", "a boolean")
    return value


def _refuse_unknown(holder: Mapping[str, Any], known: frozenset[str], param: str) -> None:
    for name in holder:
        if name not in known:
            shown = name if name.isprintable() and name.isascii() else "?"
            path = f"{param}.{shown[:64]}"
            raise InvalidRequest("unsupported_parameter", path, f"'{path}' is not supported here.")


def _wrong_type(param: str, wanted: str) -> InvalidRequest:
    return InvalidRequest("invalid_type", param, f"'{param}' must be {wanted}.")


def _million(one_nano: int | None) -> int | None:
    return None if one_nano is None else one_nano * 10**6


def _within(most_nano: int | None, price_nano: int, factor: int) -> bool:
    return most_nano is None or price_nano * factor <= most_nano * _WHOLE_PPM
