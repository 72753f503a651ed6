"""What a client is told when its request is refused before anything was held or sent."""

from typing import Final

from application.directory_views import RouteView
from application.gateway.refused import Refused
from application.routing.offers import Unpriced
from application.routing.plan import Planned
from application.wire.stored import STORED
from domain.decimals import decimal_text
from domain.ledger.refusals import AccountInDebt, BudgetExceeded, InsufficientCredit

_NO_STORE: Final = "What is kept at a provider cannot be used here: send what is in it instead."
_NO_KEY: Final = "You didn't provide an API key. Send it in the header 'Authorization: Bearer YOUR_KEY'."
_SECOND_US: Final = 1_000_000
_BAD_KEY: Final = "Incorrect API key provided, or it was revoked or has expired."


def no_key() -> Refused:
    return Refused("invalid_api_key", _NO_KEY)


def bad_key() -> Refused:
    return Refused("invalid_api_key", _BAD_KEY)


def no_price(alias: str) -> Refused:
    return Refused("model_not_found", f"The model '{alias}' has no price and cannot be used.")


def not_allowed(model: str, *, param: str) -> Refused:
    return Refused("permission_denied", f"This API key may not use the model '{model}'.", param=param)


def no_keyed_form() -> Refused:
    """The same form is other bytes each time it is sent, so that nothing tells a repetition."""
    return Refused(
        "unsupported_parameter", "An Idempotency-Key is not supported with a form.", param="Idempotency-Key"
    )


def not_served(model: str) -> Refused:
    return Refused("upstream_error", f"No provider serves '{model}' at the moment.", retry_after_s=5)


def too_expensive() -> Refused:
    return Refused(
        "max_price_exceeded",
        "No model that was asked for is at or below 'provider.max_price' at the moment.",
        param="provider.max_price",
    )


def not_priced(unpriced: Unpriced) -> Refused:
    if unpriced.name in STORED:
        return Refused("stateful_not_supported", _NO_STORE, param=unpriced.name)
    return Refused(
        "unsupported_parameter",
        f"'{unpriced.name}' with this value is not supported for the model '{unpriced.alias}' here: "
        "it changes what the request costs.",
        param=unpriced.name,
    )


def no_deployment(route: RouteView, planned: Planned) -> Refused:
    """Nothing may serve: is that the request's doing, or ours?"""
    reasons = {one.reason for one in planned.passed_over}
    if reasons == {"too_small"}:
        return Refused(
            "context_length_exceeded",
            f"The prompt is longer than the context of the model '{route.alias}'.",
            param="messages",
        )
    if reasons <= {"cannot", "too_small"}:
        return Refused(
            "unsupported_operation", f"The model '{route.alias}' is not offered at this URL.", param="model"
        )
    if reasons <= {"not_allowed", "cannot", "too_small"}:
        return Refused(
            "permission_denied",
            f"This API key may use no provider that serves '{route.alias}'.",
            param="model",
        )
    if reasons <= {"not_wanted", "not_allowed", "cannot", "too_small"}:
        return Refused(
            "no_matching_provider",
            f"No provider of '{route.alias}' is left by 'provider'.",
            param="provider",
        )
    return not_served(route.alias)


def no_model(model: str, *, param: str = "model") -> Refused:
    shown = model if model.isprintable() else "?"
    return Refused(
        "model_not_found",
        f"The model '{shown[:200]}' does not exist or you do not have access to it.",
        param=param,
    )


def no_credit(refusal: InsufficientCredit) -> Refused:
    """`credit_held` when open requests hold enough for this one: it helps to wait."""
    numbers = (
        "The account's credit does not cover this request at its worst case: "
        f"{_credits(refusal.required_nano)} credits are required, {_credits(refusal.available_nano)} are available for this model"
    )
    return Refused(
        "credit_held" if refusal.is_held else "insufficient_quota",
        f"{numbers}, up to {_credits(refusal.held_nano)} more are held for open requests. Try again when they have ended."
        if refusal.is_held
        else f"{numbers}. Recharge, or ask for fewer tokens.",
        required_nano=refusal.required_nano,
        available_nano=refusal.available_nano,
    )


def in_debt(refusal: AccountInDebt) -> Refused:
    """Credit was spent whose payment went back; nothing is served until that is paid."""
    return Refused(
        "account_in_debt",
        "A payment for credit that this account has spent was refunded or charged back: "
        f"{_credits(refusal.owed_nano)} credits are owed. Recharge to pay them.",
        owed_nano=refusal.owed_nano,
    )


def over_budget(refusal: BudgetExceeded, *, now_us: int) -> Refused:
    """Wait for open requests to end where they hold enough, else for the next day, month or hour."""
    numbers = (
        f"The budget of {_credits(refusal.budget_nano)} credits that is set for this API key or its account does not cover this "
        f"request at its worst case: {_credits(refusal.required_nano)} are required, {_credits(refusal.available_nano)} are left"
    )
    spent_nano = refusal.budget_nano - refusal.available_nano - refusal.held_nano
    return Refused(
        "budget_exceeded",
        f"{numbers}, up to {_credits(refusal.held_nano)} more are held for open requests. Try again when they have ended."
        if refusal.is_held
        else f"{numbers}.",
        retry_after_s=1 if refusal.is_held else max(refusal.until_us - now_us, 0) / _SECOND_US,
        rule=str(refusal.budget_id),
        limit=refusal.budget_nano,
        budget_nano=refusal.budget_nano,
        spent_nano=max(spent_nano, 0),
        held_nano=refusal.held_nano,
        required_nano=refusal.required_nano,
        available_nano=refusal.available_nano,
        until_us=refusal.until_us,
    )


def _credits(amount_nano: int) -> str:
    """As people write credits; what is beyond a limit that was lowered is less than nothing."""
    return decimal_text(amount_nano) if amount_nano >= 0 else f"-{decimal_text(-amount_nano)}"
