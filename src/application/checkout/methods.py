"""Port to the ways to pay that customers leave with a payment provider, and to payments by them without the customer.

A payment is made in two steps: the provider is told of it, and its id is noted in the log; only then the money is taken, by that
id and by no other. So a crash between any two steps makes none or one, whatever the provider remembers of keys.
"""

from typing import Literal, Protocol
from uuid import UUID

import msgspec

from application.checkout.ports import Session
from domain.recharge.observing import ObservedPayment


class MethodPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page to be made on which a customer leaves a way to pay."""

    account_id: UUID
    expires_us: int
    idempotency_key: str
    back_url: str


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of an order by a saved way to pay. The same `idempotency_key` makes one, for as long as it is remembered."""

    order_id: UUID
    account_id: UUID
    amount_minor: int
    currency: str
    method_ref: str
    customer_ref: str
    idempotency_key: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a payment. One that failed or needs its customer is over: nobody can make it any more."""

    state: Literal["captured", "processing", "failed", "needs_customer"]
    reason: str = ""  #: of a failure, in the provider's words
    payment: ObservedPayment | None = None  #: what is to be told to the order, if anything


class SavedMethods(Protocol):
    """Blocking; safe to use from threads. Every method raises `ProviderUnavailable`; asking again is safe."""

    def open_page(self, request: MethodPage) -> Session:
        """Make a page, or give the one that was made for the key.

        Raises:
            ProviderRefused: there will be none.
        """
        ...

    def begin(self, charge: Charge) -> str:
        """Tell the provider of a payment; nothing is taken. The payment's id.

        Raises:
            ProviderRefused: it cannot be made, such as by a way to pay that is not there any more.
        """
        ...

    def take(self, payment_ref: str) -> Taken:
        """Take the money, if it was not tried before; what has become of it.

        Raises:
            ProviderRefused: there is no such payment in our account.
        """
        ...

    def give_up(self, payment_ref: str) -> Taken:
        """See to it that it is not made any more, unless it was; raises as `take`."""
        ...

    def forget(self, method_ref: str) -> None:
        """Have the provider forget a way to pay. One that is not there is forgotten."""
        ...
