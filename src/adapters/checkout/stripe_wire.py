"""How Stripe is asked: by its library, with its own retries under one idempotency key; answers are read by types of ours."""

import re
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec
import stripe

from application.checkout.ports import ProviderRefused, ProviderUnavailable

TIMEOUT_S: Final = 15.0
REF: Final = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
_RETRIES: Final = 2
_PAGE: Final = 100
_PAGES_MAX: Final = 100
#: Answers that another try may change.
_LATER: Final = frozenset({408, 409, 429})
_REFUSALS: Final = range(400, 500)

Answer = TypeVar("Answer")


class _Last(msgspec.Struct, frozen=True):
    id: str = ""


class _Page(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw]
    has_more: bool = False


class StripeWire:
    """One Stripe account. Every method raises `ProviderUnavailable` and `ProviderRefused`."""

    def __init__(self, *, secret_key: str, api_base: str = "", timeout_s: float = TIMEOUT_S) -> None:
        self._client = stripe.StripeClient(
            secret_key,
            http_client=stripe.RequestsClient(timeout=timeout_s),
            max_network_retries=_RETRIES,
            base_addresses={"api": api_base} if api_base else None,
        )

    def get(self, folder: str, object_ref: str, kind: type[Answer], *expand: str) -> Answer:
        """An object; an id that is none is refused without asking."""
        return self.ask(
            "get", f"{folder}/{checked(object_ref)}", kind, **({"expand": list(expand)} if expand else {})
        )

    def every(self, path: str, **more: Any) -> Iterator[msgspec.Raw]:
        """Every item of a list, a page at a time.

        Raises:
            ProviderUnavailable: there are absurdly many.
        """
        after: dict[str, str] = {}
        for _ in range(_PAGES_MAX):
            page = self.ask("get", path, _Page, limit=_PAGE, **after, **more)
            yield from page.data
            if not page.has_more or not page.data:
                return
            after = {"starting_after": read(page.data[-1], _Last).id}
        raise ProviderUnavailable("a list without an end")

    def ask(self, method: str, path: str, kind: type[Answer], **more: Any) -> Answer:
        """Ask, and read the answer."""
        try:
            answer = self._client.raw_request(method, path, **more)
        except stripe.StripeError as error:
            raise _meant(error) from None
        return read(answer.body, kind)


def checked(object_ref: str) -> str:
    """The same id, if it may be one: any other would lead elsewhere.

    Raises:
        ProviderRefused: see there.
    """
    if not REF.fullmatch(object_ref):
        raise ProviderRefused("an id that is none")
    return object_ref


def read(raw: "msgspec.Raw | str", kind: type[Answer]) -> Answer:
    """An answer.

    Raises:
        ProviderRefused: it cannot be read.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError:
        raise ProviderRefused("an answer that cannot be read") from None


def _meant(error: stripe.StripeError) -> ProviderUnavailable | ProviderRefused:
    """Whether another try can help. Stripe's words may repeat what was sent, so only its code is kept."""
    status = error.http_status
    if status in _REFUSALS and status not in _LATER and status not in {401, 403}:
        return ProviderRefused(error.code or type(error).__name__)
    return ProviderUnavailable(f"{type(error).__name__} {status or ''}".strip())
