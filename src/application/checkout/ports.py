"""Port to a payment provider, the same for all of them. `tests/adapters/checkout/test_contract.py` is its conformance suite."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol
from uuid import UUID

import msgspec

from domain.auto_recharge.ruling import ObservedMethod
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedRefund
from domain.refusal import BadField, NotFound

if TYPE_CHECKING:
    from application.checkout.methods import SavedMethods

Headers = Sequence[tuple[str, str]]
"""As they came, names in lower case; one name may come twice."""


class ProviderError(Exception):
    """Base of what a payment provider's adapter raises."""


class ProviderUnavailable(ProviderError):
    """It does not answer, or not now. Whether it did what was asked is not known: asking again is safe."""

    code: ClassVar[str] = "payment_provider_unavailable"


class ProviderRefused(ProviderError):
    """It says no, and will again. Nothing was done. `reason` is a code, in the provider's words or ours."""

    code: ClassVar[str] = "payment_provider_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadNotice(ProviderError):
    """A message that is not the provider's, not of now, or cannot be read; nothing was kept of it."""

    code: ClassVar[str] = "bad_notice"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a genuine message says: that something happened to an object. It is asked for; the message is not believed."""

    event_ref: str
    kind: str
    object_ref: str  #: empty if it names nothing that can be asked for
    created_us: int
    mode: Mode


class Delivered(msgspec.Struct, frozen=True):
    """A message as the provider lists it, with its bytes."""

    notice: Notice
    raw: bytes


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider wants to read in the answer to a message, if anything. Without `refused` it is told as others are."""

    done: bytes = b""
    refused: bytes | None = None
    media_type: str = "text/plain"


class SessionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A page to be made. The same `idempotency_key`, or the same `page` of the order, gives the same page."""

    order_id: UUID
    page: int  #: which one of the order's pages, from 1: another is made when one was closed
    account_id: UUID
    amount_minor: int
    currency: str
    description: str
    expires_us: int
    idempotency_key: str
    success_url: str
    cancel_url: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The page. Whoever has the address may pay, and nothing else."""

    session_ref: str
    url: str
    expires_us: int
    is_code: bool = False  #: no page but a code, for the customer's phone to read


class RefundOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A refund to be made. The same `idempotency_key` makes one."""

    order_id: UUID
    account_id: UUID
    refund_id: UUID
    payment_ref: str
    amount_minor: int
    currency: str
    idempotency_key: str


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A line of our account at the provider. `net` = `gross` - `fee`; negative where money left."""

    transaction_ref: str
    kind: str
    source_ref: str  #: the payment it is of, or another object
    object_ref: str = ""  #: the refund or dispute of that payment, if it is of one
    gross_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    created_us: int


class CheckoutProvider(Protocol):
    """Blocking; safe to use from threads. One of these serves one account at the provider, in one mode.

    Every method but `verify` raises `ProviderUnavailable`; and `ProviderRefused` where it says so.
    """

    name: str
    mode: Mode
    acknowledgement: ClassVar[Acknowledgement]
    currencies: ClassVar[frozenset[str] | None]  #: that it takes; all where that depends on the account
    methods: "SavedMethods | None"  #: ways to pay that customers leave there; none where that is not offered

    def open_session(self, request: SessionRequest) -> Session:
        """Make a page, or give the one that was made for the key.

        Raises:
            ProviderRefused: such as an amount below the provider's least.
        """
        ...

    def close_session(self, session_ref: str) -> None:
        """Let nobody pay on a page any more. One that is paid, closed or unknown there stays as it is.

        Raises:
            ProviderRefused: it is no page of ours.
        """
        ...

    def verify(self, raw: bytes, headers: Headers, *, now_us: int) -> Notice:
        """Read a message, if it is the provider's and of now.

        Raises:
            BadNotice: and never anything else, whatever the bytes.
        """
        ...

    def fetch(self, kind: str, object_ref: str) -> Sequence[Observation | ObservedMethod]:
        """What the object is like now; nothing for one that is not about an order or an account of ours.

        Raises:
            ProviderRefused: there is no such object in our account.
        """
        ...

    def fetch_session(self, session_ref: str) -> Sequence[Observation]:
        """What became of a page and its payment; raises as `fetch`."""
        ...

    def fetch_dispute(self, dispute_ref: str) -> Sequence[Observation]:
        """What a dispute is like now; nothing where the provider has none. Raises as `fetch`."""
        ...

    def refund(self, order: RefundOrder) -> ObservedRefund:
        """Pay back.

        Raises:
            ProviderRefused: such as more than is left of the payment.
        """
        ...

    def made_refund(self, order: RefundOrder) -> ObservedRefund | None:
        """This refund, if it was made already and asking for it again could make a second one; else none.

        Raises:
            ProviderRefused: there is no such payment in our account.
        """
        ...

    def undelivered(self, *, since_us: int) -> Iterable[Delivered]:
        """Messages that did not reach us; none where the provider has no such list."""
        ...

    def balance_transactions(self, *, since_us: int, until_us: int) -> Iterable[BalanceTransaction]:
        """The lines of our account from `since_us` to before `until_us`; none where the provider has no such list."""
        ...

    def payout_lines(self, payout_ref: str) -> Sequence[BalanceTransaction] | None:
        """The lines that a payout is made of, perhaps with its own; None where the provider does not say.

        Raises:
            ProviderUnavailable: nor does it know yet.
            ProviderRefused: there is no such payout of ours.
        """
        ...


class Checkouts:
    """The providers that are set up. One without its secrets is not among them."""

    def __init__(self, providers: Iterable[CheckoutProvider] = ()) -> None:
        self._providers: Mapping[str, CheckoutProvider] = {one.name: one for one in providers}

    def get(self, name: str) -> CheckoutProvider:
        """The provider of this name.

        Raises:
            NotFound: it is not set up.
        """
        try:
            return self._providers[name]
        except KeyError:
            raise NotFound("payment provider", name) from None

    def taking(self, currency: str) -> tuple[str, ...]:
        """The names of those that take a currency."""
        return tuple(one.name for one in self.all() if one.currencies is None or currency in one.currencies)

    def saving(self, name: str) -> "SavedMethods":
        """The ways to pay that customers have left with a provider.

        Raises:
            NotFound: it is not set up.
            BadField: it keeps none for us.
        """
        methods = self.get(name).methods
        if methods is None:
            others = ", ".join(self.savers()) or "none is set up"
            raise BadField(
                "provider", f"keeps no payment method for automatic recharges; those that do: {others}"
            )
        return methods

    def savers(self) -> tuple[str, ...]:
        """The names of those that keep ways to pay."""
        return tuple(one.name for one in self.all() if one.methods is not None)

    def all(self) -> tuple[CheckoutProvider, ...]:
        return tuple(self._providers.values())
