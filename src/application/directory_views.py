"""What the hot path reads of accounts, keys, routes and prices: ready-made, immutable, no secret in any repr."""

from typing import Any, Final
from uuid import UUID

import msgspec

from application.upstream import ParsedUrl
from domain.accounts import AccountStatus
from domain.catalogue.alias import FallOverCause, Strategy
from domain.catalogue.base_url import BaseUrl
from domain.catalogue.deployment_spec import Operation, OutputField, Timeouts
from domain.catalogue.provider import Dialect, UsageDialect
from domain.fact import Actor
from domain.keys.access import AccountNotOpen, InvalidApiKey, ModelNotAllowed
from domain.limits import Limits, ProviderPolicy
from domain.operators import PERMISSIONS, Permission, Role
from domain.pricing import Price, PriceInForce
from domain.refusal import NotPermitted

NEVER_US: Final = 2**63 - 1


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account, open or not; `require_open` before use."""

    account_id: UUID
    status: AccountStatus
    limits: Limits
    models: frozenset[str] | None  #: none allows every alias
    policy: ProviderPolicy | None = None  #: none allows every provider

    def require_open(self) -> None:
        """Raises: AccountNotOpen."""
        if self.status != "open":
            raise AccountNotOpen(self.status)


class ApiKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as one of its secrets opens it; `require_valid` before use."""

    key_id: UUID
    account_id: UUID
    prefix: str
    limits: Limits
    models: frozenset[str] | None  #: none allows what the account allows
    valid_until_us: int  #: the key's expiry or the end of this secret's overlap, whichever is first
    policy: ProviderPolicy | None = None

    def require_valid(self, now_us: int) -> None:
        """Raises: InvalidApiKey: the key, or this secret of it, has expired."""
        if now_us >= self.valid_until_us:
            raise InvalidApiKey


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A valid key of an open account."""

    key: ApiKeyView
    account: AccountView

    def allows(self, alias: str) -> bool:
        """Whether key and account both may use a model alias."""
        key_models, account_models = self.key.models, self.account.models
        return (key_models is None or alias in key_models) and (
            account_models is None or alias in account_models
        )

    @property
    def policy(self) -> ProviderPolicy | None:
        """Which providers both allow; none allows all."""
        key, account = self.key.policy, self.account.policy
        if key is None:
            return account
        return key if account is None else key.and_also(account)

    def require_model(self, alias: str) -> None:
        """Raises: ModelNotAllowed."""
        if not self.allows(alias):
            raise ModelNotAllowed(alias)


class OperatorView(msgspec.Struct, frozen=True, kw_only=True):
    """An operator who may act now."""

    operator_id: UUID
    role: Role

    @property
    def actor(self) -> Actor:
        return Actor("operator", self.operator_id)

    def require(self, permission: Permission) -> None:
        """Raises: NotPermitted: the role does not include it."""
        if permission not in PERMISSIONS[self.role]:
            raise NotPermitted(f"the permission {permission}")


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that can be called now: provider and credential are in order."""

    deployment_id: UUID
    provider_id: UUID
    provider: str
    dialect: Dialect
    usage_dialect: UsageDialect
    base_url: BaseUrl
    chat_url: ParsedUrl  #: where chat completions are posted
    authorization: bytes | None  #: the header's value; none for an upstream that asks for no secret
    auth_header: bytes = b"authorization"
    shares: bool = False  #: other views are the same deployment with other credentials
    upstream_model: str
    context_tokens: int
    output_tokens_max: int
    output_field: OutputField
    timeouts: Timeouts  #: what differs from the server's settings
    weight: int
    credential_id: UUID | None = None
    secret_version: int = 0
    serves: frozenset[Operation] = frozenset(("chat",))
    traits: frozenset[str] = frozenset()
    image_tokens_max: int | None = None
    audio_tokens_max: int | None = None
    preamble_tokens: int | None = None
    cost: Price | None = None  #: what the provider takes
    passes: frozenset[str] = frozenset()  #: members of requests that cost extra upstream and are priced in

    def url(self, path: bytes) -> ParsedUrl:
        """Another endpoint of this upstream; `path` starts with a slash."""
        base = self.base_url
        return ParsedUrl(base.scheme, base.host, base.port, base.path.encode() + path)

    def __repr__(self) -> str:
        return f"DeploymentView({self.deployment_id}, {self.provider}, {self.upstream_model})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("deployment_id", self.deployment_id), ("provider", self.provider)]


class RouteView(msgspec.Struct, frozen=True, kw_only=True):
    """Where requests for an alias go, and what they cost."""

    alias: str  #: what the client wrote
    route: str  #: whose route it is; another name when `alias` points there
    deployments: tuple[DeploymentView, ...]  #: the usable ones, in order; may be empty
    prices: tuple[PriceInForce, ...]  #: the alias' own, by start
    route_prices: tuple[PriceInForce, ...]  #: of the route's name, when that is another one
    created_s: int
    strategy: Strategy = "ordered"
    fall_over_on: frozenset[FallOverCause] = frozenset()

    def price_at(self, now_us: int) -> PriceInForce | None:
        """The price in force at a time. None refuses the request: it never means free."""
        return price_at(self.prices, now_us) or price_at(self.route_prices, now_us)

    @property
    def needs_draw(self) -> bool:
        """Something is left to chance, or to what keeps a conversation together."""
        return self.strategy == "weighted" or any(one.shares for one in self.deployments)


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `/v1/models`."""

    id: str
    created_s: int
    owned_by: str


def price_at(prices: tuple[PriceInForce, ...], now_us: int) -> PriceInForce | None:
    """Of prices in the order of their start, the last that has started."""
    for price in reversed(prices):
        if price.effective_from_us <= now_us:
            return price
    return None
