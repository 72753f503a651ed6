"""Stripe's objects about ways to pay that are left for later, as far as we read them."""

import msgspec


class Card(msgspec.Struct, frozen=True):
    """Neither its number nor any digits of it are read."""

    brand: str = ""


class Method(msgspec.Struct, frozen=True):
    id: str
    type: str = ""
    card: Card | None = None


class Setup(msgspec.Struct, frozen=True):
    """A setup intent: what came of leaving one."""

    id: str
    status: str
    customer: str | None = None
    payment_method: Method | str | None = None
