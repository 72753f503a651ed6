"""The directory: what a process must know to let a request in, in memory, following the event log.

Look-ups are dictionary reads without awaits. Expiry, overlap and future prices are judged at use, by the
clock that the caller brings; so nothing has to happen at midnight. One event loop owns a directory.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, cast
from uuid import UUID

import msgspec

from application.directory_routes import Routes
from application.directory_views import (
    NEVER_US,
    AccountView,
    ApiKeyView,
    Caller,
    DeploymentView,
    ModelView,
    OperatorView,
    RouteView,
)
from application.eventlog import RecordedEvent
from application.keys.by_account import KeysByAccount
from application.management.key_ring import Customer, KeyRing, customer_by_key
from application.vault import SecretRef
from domain import accounts, announcements, members, operators
from domain import support as support_rules
from domain.accounts import ACCOUNT_EVENTS, Account, AccountEvent
from domain.announcements import ANNOUNCEMENT_EVENTS, AnnouncementEvent, Announcements
from domain.bodies import BODY_EVENTS, BodyEvent, BodyLoggingSet
from domain.budgets import budget as budget_rules
from domain.budgets.budget import Budget
from domain.budgets.events import BUDGET_EVENTS, BudgetEvent
from domain.catalogue.alias import ALIAS_EVENTS, Alias
from domain.catalogue.credential import CREDENTIAL_EVENTS, Credential
from domain.catalogue.deployment import DEPLOYMENT_EVENTS, Deployment
from domain.catalogue.prices import PRICE_LIST_EVENTS, PriceListPublished
from domain.catalogue.provider import PROVIDER_EVENTS, Provider
from domain.event import Event, UnknownTopic
from domain.health.breaker import BREAKER_EVENTS, BreakerEvent
from domain.health.credential import CONDITION_EVENTS, ConditionEvent
from domain.health.probe import PROBE_EVENTS
from domain.invoicing import sellers
from domain.invoicing.sellers import SellerBook, SellerEvent, SellerSet, SeriesOpened
from domain.keys import key as key_rules
from domain.keys.access import InvalidApiKey, InvalidOperatorToken
from domain.keys.events import KEY_EVENTS, KeyEvent, KeySecretClaimed
from domain.keys.secret import SecretHasher
from domain.limits import Limits, ProviderPolicy, policy_of
from domain.management import MANAGEMENT_EVENTS
from domain.members import MEMBER_EVENTS, NO_MEMBERS, MemberEvent, MemberJoined, MemberRemoved, Members
from domain.operators import OPERATOR_EVENTS, OperatorEvent, Staff
from domain.pricing import PriceInForce
from domain.secret import Secret
from domain.support import NO_SUPPORT, SUPPORT_EVENTS, Support, SupportEvent
from domain.topics import REGISTRY

#: A topic of these that this code does not know may be a revocation of a newer kind: it must not be passed over.
CONTEXTS: Final = frozenset(
    {
        "account",
        "bodies",
        "budget",
        "key",
        "operator",
        "member",
        "management-key",
        "support",
        "provider",
        "credential",
        "deployment",
        "route",
        "alias",
        "price-list",
        "breaker",
        "credential-health",
        "provider-health",
    }
)
#: What a directory has from whoever made it, and not from the log.
_OWN: Final = frozenset({"_hasher", "_health", "_handlers"})


class HealthBoard(Protocol):
    """Who keeps how deployments and credentials are doing; it is told here, in log order."""

    def on_breaker(self, event: BreakerEvent) -> None: ...

    def on_condition(self, event: ConditionEvent) -> None: ...


class Directory:
    """Accounts, API keys, operators and routes at `position` of the log."""

    def __init__(self, hasher: SecretHasher, *, health: HealthBoard | None = None) -> None:
        self.position = 0
        self.accounts: dict[UUID, Account] = {}
        self.keys: dict[UUID, key_rules.ApiKey] = {}
        self.keys_in_use = 0  #: those that nobody has revoked
        self.keys_by_account = KeysByAccount()
        self.budgets: dict[UUID, Budget] = {}  #: removed ones too
        self.staff = Staff()
        self.members: dict[UUID, Members] = {}  #: by account
        self.memberships: dict[UUID, set[UUID]] = {}  #: accounts by person
        self.announcements = Announcements()
        self.key_ring = KeyRing(hasher)  #: management keys
        self.sellers: dict[UUID, SellerBook] = {}
        self.support: dict[UUID, Support] = {}  #: who looks into which account
        self._hasher = hasher
        self._health = health
        self._routes = Routes()
        self._account_views: dict[UUID, AccountView] = {}
        self._logged: set[UUID] = set()
        self._budgets_of: dict[UUID, tuple[Budget, ...]] = {}  #: by key or account, those in force
        self._by_hash: dict[bytes, ApiKeyView] = {}
        self._operators: dict[bytes, OperatorView] = {}
        self._handlers = self._make_handlers()

    # --- following the log

    def apply(self, recorded: RecordedEvent) -> None:
        """Fold one event, in log order; one that was folded before, or does not concern us, changes nothing.

        Raises:
            UnknownTopic: the log is newer than this code; nothing was changed, and nothing after it may be applied.
            msgspec.ValidationError: the log is damaged; likewise.
        """
        if recorded.position <= self.position:
            return
        handler = self._handlers.get(recorded.topic)
        if handler is not None:
            handler(REGISTRY.decode(recorded.topic, recorded.state), recorded.version)
        elif recorded.topic.partition(".")[0] in CONTEXTS:
            raise UnknownTopic(recorded.topic)
        self.position = recorded.position

    def blank(self) -> "Directory":
        """An empty one, to be filled from the beginning of the log while this one serves on."""
        return Directory(self._hasher)

    def become(self, other: "Directory") -> None:
        """Forget everything, and know from now on what `other` knows; nobody may use that any more.

        How deployments and credentials are doing stays as it was told here.
        """
        vars(self).update({name: value for name, value in vars(other).items() if name not in _OWN})
        self._handlers = self._make_handlers()

    def missing_secrets(self) -> list[SecretRef]:
        """The secrets that must be opened in the vault before all routes work."""
        return self._routes.missing_secrets()

    def put_secret(self, ref: SecretRef, secret: Secret) -> None:
        """Hand over one of `missing_secrets`."""
        self._routes.put_secret(ref, secret)

    # --- the hot path

    def authenticate(self, secret: bytes, *, now_us: int) -> Caller:
        """Who holds this API key: one HMAC and two dictionary reads.

        Raises:
            InvalidApiKey: nobody, or not any more.
            AccountNotOpen: the account is suspended or closed.
        """
        key = self._by_hash.get(self._hasher.digest(secret))
        if key is None:
            raise InvalidApiKey
        key.require_valid(now_us)
        account = self._account_views[key.account_id]
        account.require_open()
        return Caller(key=key, account=account)

    def api_key(self, secret_hash: bytes) -> ApiKeyView | None:
        """The key that a secret's hash opens; not judged by the clock, nor by its account."""
        return self._by_hash.get(secret_hash)

    def account(self, account_id: UUID) -> AccountView | None:
        return self._account_views.get(account_id)

    def alias(self, name: str) -> RouteView | None:
        """The route of what a client wrote in `model`; none means 404."""
        return self._routes.alias(name)

    def price(self, alias: str, *, now_us: int) -> PriceInForce | None:
        """The price of an alias in force at a time."""
        route = self._routes.alias(alias)
        return None if route is None else route.price_at(now_us)

    def models(self, *, now_us: int, caller: Caller | None = None) -> list[ModelView]:
        """The models that can be called now, by name; only those that `caller` may use."""
        models = self._routes.models(now_us=now_us)
        if caller is None:
            return models
        models = [model for model in models if caller.allows(model.id)]
        return models if caller.policy is None else self._allowed(models, caller.policy)

    def _allowed(self, models: list[ModelView], policy: ProviderPolicy) -> list[ModelView]:
        """Those of which a deployment is left; they are said to be of the first provider that may serve."""
        allowed = []
        for model in models:
            route = self._routes.alias(model.id)
            left = [one.provider for one in route.deployments if policy.allows(one.provider)] if route else []
            if left:
                allowed.append(msgspec.structs.replace(model, owned_by=left[0]))
        return allowed

    def deployments_in_use(self) -> list[DeploymentView]:
        """Every deployment that can be called, once for each credential, whether an alias leads there or not."""
        return self._routes.deployments_in_use()

    # --- staff and consoles

    def authenticate_operator(self, token: bytes) -> OperatorView:
        """Which operator holds this bearer token.

        Raises:
            InvalidOperatorToken: none, or not any more.
        """
        operator = self._operators.get(self._hasher.digest(token))
        if operator is None:
            raise InvalidOperatorToken
        return operator

    def authenticate_customer(self, secret: bytes, *, now_us: int) -> Customer:
        """Whose management key this is, and what it allows now.

        Raises:
            InvalidManagementKey: nobody's, or not any more.
        """
        key = self.key_ring.open(secret, now_us=now_us)
        return customer_by_key(key, self.members.get(key.account_id, NO_MEMBERS))

    @property
    def providers(self) -> Mapping[UUID, Provider]:
        return self._routes.providers

    @property
    def credentials(self) -> Mapping[UUID, Credential]:
        return self._routes.credentials

    @property
    def deployments(self) -> Mapping[UUID, Deployment]:
        return self._routes.deployments

    @property
    def aliases(self) -> Mapping[str, Alias]:
        return self._routes.aliases

    @property
    def prices(self) -> Mapping[str, tuple[PriceInForce, ...]]:
        """Every published price by alias, in the order of their start."""
        return self._routes.prices

    def needs_reentry(self, credential: Credential) -> bool:
        """Whether a credential is dead because its provider moved to another origin since it was entered."""
        return self._routes.needs_reentry(credential)

    # --- facts

    def _make_handlers(self) -> dict[str, Callable[[Event, int], None]]:
        routes = self._routes
        handlers: dict[str, Callable[[Event, int], None]] = {}

        def bind(events: tuple[type[Event], ...], handle: Callable[[Any], None]) -> None:
            for event_type in events:
                handlers[event_type.TOPIC] = lambda event, _version: handle(event)

        bind(ACCOUNT_EVENTS, self._on_account)
        bind(BODY_EVENTS, self._on_bodies)
        bind(BUDGET_EVENTS, self._on_budget)
        bind(KEY_EVENTS, self._on_key)
        bind(OPERATOR_EVENTS, self._on_operator)
        bind(MEMBER_EVENTS, self._on_member)
        bind(ANNOUNCEMENT_EVENTS, self._on_announcement)
        bind(MANAGEMENT_EVENTS, self.key_ring.on_event)
        bind((SellerSet, SeriesOpened), self._on_seller)
        bind(SUPPORT_EVENTS, self._on_support)
        bind(PROVIDER_EVENTS, routes.on_provider)
        bind(CREDENTIAL_EVENTS, routes.on_credential)
        bind(DEPLOYMENT_EVENTS, routes.on_deployment)
        bind(ALIAS_EVENTS, routes.on_alias)
        bind(PROBE_EVENTS, _pass_by)
        bind(BREAKER_EVENTS, _pass_by if self._health is None else self._health.on_breaker)
        bind(CONDITION_EVENTS, _pass_by if self._health is None else self._health.on_condition)
        for event_type in PRICE_LIST_EVENTS:
            handlers[event_type.TOPIC] = lambda event, version: routes.on_prices(
                cast("PriceListPublished", event), version
            )
        return handlers

    def _on_account(self, event: AccountEvent) -> None:
        account = accounts.evolve(self.accounts.get(event.account_id), event)
        self.accounts[event.account_id] = account
        self._show(account)

    def _on_bodies(self, event: BodyEvent) -> None:
        if isinstance(event, BodyLoggingSet):
            change = self._logged.add if event.enabled else self._logged.discard
            change(event.account_id)
            self._show(self.accounts[event.account_id])

    def _show(self, account: Account) -> None:
        self._account_views[account.account_id] = AccountView(
            account_id=account.account_id,
            status=account.status,
            limits=account.limits,
            models=_models(account.limits),
            policy=policy_of(account.limits),
            logs_bodies=account.account_id in self._logged,
            budgets=self._budgets_of.get(account.account_id, ()),
        )

    def _on_key(self, event: KeyEvent | KeySecretClaimed) -> None:
        if isinstance(event, KeySecretClaimed):
            return
        before = self.keys.get(event.key_id)
        after = key_rules.evolve(before, event)
        self.keys[event.key_id] = after
        if before is None:
            self.keys_by_account.add(after.account_id, after.key_id)
        self.keys_in_use += (not after.revoked) - (before is not None and not before.revoked)
        for secret in () if before is None else before.secrets:
            self._by_hash.pop(bytes.fromhex(secret.secret_hash), None)
        self._show_key(after)

    def _on_budget(self, event: BudgetEvent) -> None:
        budget = budget_rules.evolve(self.budgets.get(event.budget_id), event)
        self.budgets[budget.budget_id] = budget
        others = self._budgets_of.get(budget.subject_id, ())
        in_force = [one for one in others if one.budget_id != budget.budget_id]
        self._budgets_of[budget.subject_id] = tuple(in_force if budget.removed else [*in_force, budget])
        if budget.key_id is None:
            self._show(self.accounts[budget.account_id])
        else:
            self._show_key(self.keys[budget.key_id])

    def _show_key(self, after: key_rules.ApiKey) -> None:
        for secret in after.secrets:
            self._by_hash[bytes.fromhex(secret.secret_hash)] = ApiKeyView(
                key_id=after.key_id,
                account_id=after.account_id,
                prefix=secret.prefix,
                limits=after.limits,
                models=_models(after.limits),
                valid_until_us=min(after.expires_us or NEVER_US, secret.valid_until_us or NEVER_US),
                policy=policy_of(after.limits),
                budgets=self._budgets_of.get(after.key_id, ()),
            )

    def _on_member(self, event: MemberEvent) -> None:
        account_id = event.account_id
        self.members[account_id] = members.evolve(self.members.get(account_id, NO_MEMBERS), event)
        if isinstance(event, MemberJoined):
            self.memberships.setdefault(event.person_id, set()).add(account_id)
        if isinstance(event, MemberRemoved):
            self.memberships.get(event.person_id, set()).discard(account_id)

    def _on_announcement(self, event: AnnouncementEvent) -> None:
        self.announcements = announcements.evolve(self.announcements, event)

    def _on_seller(self, event: SellerEvent) -> None:
        self.sellers[event.seller_id] = sellers.evolve(self.sellers.get(event.seller_id), event)

    def _on_support(self, event: SupportEvent) -> None:
        state = self.support.get(event.account_id, NO_SUPPORT)
        self.support[event.account_id] = support_rules.evolve(state, event)

    def _on_operator(self, event: OperatorEvent) -> None:
        self.staff = operators.evolve(self.staff, event)
        self._operators = {
            bytes.fromhex(one.secret_hash): OperatorView(operator_id=one.operator_id, role=one.role)
            for one in self.staff.operators.values()
            if not one.disabled
        }


def _models(limits: Limits) -> frozenset[str] | None:
    return None if limits.models is None else frozenset(limits.models)


def _pass_by(event: Event) -> None:
    """What concerns the log's readers only."""
