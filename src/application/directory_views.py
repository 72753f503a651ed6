"""What the hot path reads of accounts, keys, routes and prices: ready-made, immutable, no secret in any repr."""

from functools import cached_property
from typing import Any, Final
from uuid import UUID

import msgspec

from application.upstream import ParsedUrl
from application.wire.bounds import TOKENS_PER_REQUEST, ModelLimits, widest_limits
from domain.accounts import AccountStatus
from domain.budgets.budget import Budget
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
    logs_bodies: bool = False  #: its requests and answers are kept for operators
    budgets: tuple[Budget, ...] = ()

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
    budgets: tuple[Budget, ...] = ()

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

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """What its charges count in: those of the key, then those of the account."""
        return self.key.budgets + self.account.budgets

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


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
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

    @cached_property
    def told(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers of an answer that tell the client who gave it."""
        return (
            (b"x-tokenok-provider", self.provider.encode("ascii", "replace")),
            (b"x-tokenok-model", self.upstream_model.encode("ascii", "replace")),
        )

    def url(self, path: bytes) -> ParsedUrl:
        """Another endpoint of this upstream; `path` starts with a slash."""
        base = self.base_url
        return ParsedUrl(base.scheme, base.host, base.port, base.path.encode() + path)

    def __repr__(self) -> str:
        return f"DeploymentView({self.deployment_id}, {self.provider}, {self.upstream_model})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("deployment_id", self.deployment_id), ("provider", self.provider)]


class Candidate(msgspec.Struct, frozen=True):
    """A deployment to try. A trial's outcome decides on its breaker."""

    deployment: DeploymentView
    is_trial: bool = False
    alias: str = ""  #: whose route and price it comes with
    fall_over_on: frozenset[FallOverCause] = frozenset()  #: as this route says


class RouteView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Where requests for an alias go, and what they cost.

    A view lasts until the catalogue changes, so what follows from it alone is worked out once, by the first request.
    """

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

    @cached_property
    def needs_draw(self) -> bool:
        """Something is left to chance, or to what keeps a conversation together."""
        return self.strategy == "weighted" or any(one.shares for one in self.deployments)

    @cached_property
    def has_one_order(self) -> bool:
        """There are deployments, and neither chance nor cost nor speed changes in which order they are tried."""
        count = len(self.deployments)
        return not self.needs_draw and (count == 1 or (count > 1 and self.strategy == "ordered"))

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every deployment, in order: the plan where nothing rules one out."""
        return tuple(
            Candidate(one, alias=self.alias, fall_over_on=self.fall_over_on) for one in self.deployments
        )

    @cached_property
    def served_by_all(self) -> frozenset[Operation]:
        """What every deployment offers."""
        return frozenset.intersection(*(one.serves for one in self.deployments))

    @cached_property
    def context_tokens_min(self) -> int:
        """The shortest context of any deployment."""
        return min(one.context_tokens for one in self.deployments)

    @cached_property
    def limits(self) -> ModelLimits:
        """The widest of what any deployment could do: whichever serves, the hold covers it."""
        return widest_limits([_limits_of(one) for one in self.deployments])


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `/v1/models`."""

    id: str
    created_s: int
    owned_by: str


def _limits_of(one: DeploymentView) -> ModelLimits:
    return ModelLimits(
        context_tokens=one.context_tokens,
        output_tokens_max=one.output_tokens_max,
        image_tokens_max=one.image_tokens_max,
        audio_tokens_max=one.audio_tokens_max,
        request_tokens=one.preamble_tokens or TOKENS_PER_REQUEST,
    )


def price_at(prices: tuple[PriceInForce, ...], now_us: int) -> PriceInForce | None:
    """Of prices in the order of their start, the last that has started."""
    for price in reversed(prices):
        if price.effective_from_us <= now_us:
            return price
    return None
