"""The catalogue's half of the directory: providers, credentials, deployments, aliases and prices.

Views of routes are built when first asked for after a change: applying a fact stays cheap however many
aliases there are, and a request pays for a build once.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from application.directory_views import DeploymentView, ModelView, RouteView
from application.upstream import ParsedUrl
from application.vault import SecretRef
from domain.catalogue import alias as alias_rules
from domain.catalogue import credential as credential_rules
from domain.catalogue import deployment as deployment_rules
from domain.catalogue import provider as provider_rules
from domain.catalogue.alias import NO_ALIAS, Alias, AliasEvent
from domain.catalogue.base_url import BaseUrl, parse_base_url
from domain.catalogue.credential import Credential, CredentialEvent
from domain.catalogue.deployment import Deployment, DeploymentEvent
from domain.catalogue.prices import PriceListPublished
from domain.catalogue.provider import Dialect, Provider, ProviderEvent
from domain.pricing import PriceInForce
from domain.secret import Secret

_CHAT_PATH: Final = b"/chat/completions"
AUTH_HEADERS: Final[dict[Dialect, tuple[bytes, bytes]]] = {
    "openai": (b"authorization", b"Bearer "),
    "anthropic": (b"x-api-key", b""),
    "gemini": (b"x-goog-api-key", b""),
}
"""The header that carries a credential, and what stands before it."""


class _OpenedSecret(msgspec.Struct, frozen=True):
    """A secret from the vault, ready for a header, and where it may be sent."""

    secret_version: int
    origin: str
    secret: bytes

    def __repr__(self) -> str:
        return f"_OpenedSecret({self.secret_version}, {self.origin})"


class Routes:
    """Folds the catalogue's facts; look-ups are plain dictionary reads."""

    def __init__(self) -> None:
        self.providers: dict[UUID, Provider] = {}
        self.credentials: dict[UUID, Credential] = {}
        self.deployments: dict[UUID, Deployment] = {}
        self.aliases: dict[str, Alias] = {}
        self.prices: dict[str, tuple[PriceInForce, ...]] = {}
        self._urls: dict[UUID, BaseUrl] = {}
        self._secrets: dict[UUID, _OpenedSecret] = {}
        self._built: dict[str, RouteView] = {}
        #: As of the last change of what it follows from: followers ask for it at every poll, and mostly nothing has changed.
        self._missing: list[SecretRef] | None = None

    # --- facts

    def on_provider(self, event: ProviderEvent) -> None:
        provider = provider_rules.evolve(self.providers.get(event.provider_id), event)
        self.providers[event.provider_id] = provider
        self._urls[event.provider_id] = parse_base_url(provider.base_url)
        self._built.clear()

    def on_credential(self, event: CredentialEvent) -> None:
        credential_id = event.credential_id
        credential = credential_rules.evolve(self.credentials.get(credential_id), event)
        self.credentials[credential_id] = credential
        if credential.revoked:
            self._secrets.pop(credential_id, None)
        self._missing = None
        self._built.clear()

    def on_deployment(self, event: DeploymentEvent) -> None:
        deployment_id = event.deployment_id
        self.deployments[deployment_id] = deployment_rules.evolve(self.deployments.get(deployment_id), event)
        self._missing = None
        self._built.clear()

    def on_alias(self, event: AliasEvent) -> None:
        alias = alias_rules.evolve(self.aliases.get(event.alias, NO_ALIAS), event)
        if alias.exists:
            self.aliases[event.alias] = alias
        else:
            self.aliases.pop(event.alias, None)
        self._built.clear()

    def on_prices(self, event: PriceListPublished, version: int) -> None:
        for alias, price in event.entries.items():
            published = PriceInForce(
                version=version,
                effective_from_us=event.effective_from_us,
                markup_ppm=event.markup_ppm,
                price=price,
            )
            self.prices[alias] = tuple(
                sorted(
                    (*self.prices.get(alias, ()), published),
                    key=lambda one: (one.effective_from_us, one.version),
                )
            )
        self._built.clear()

    # --- secrets

    def missing_secrets(self) -> list[SecretRef]:
        """The secrets to open next: of credentials that deployments use, at their newest version."""
        if self._missing is None:
            self._missing = self._find_missing()
        return list(self._missing)

    def _find_missing(self) -> list[SecretRef]:
        used = {
            credential_id
            for one in self.deployments.values()
            if not one.disabled
            for credential_id in one.spec.credential_ids
        }
        return [
            SecretRef(
                provider_id=credential.provider_id,
                credential_id=credential.credential_id,
                secret_version=credential.secret_version,
            )
            for credential in self.credentials.values()
            if credential.credential_id in used and self._wants(credential)
        ]

    def put_secret(self, ref: SecretRef, secret: Secret) -> None:
        """Take an opened secret, unless the credential has moved on meanwhile."""
        credential = self.credentials[ref.credential_id]
        if credential.revoked or credential.secret_version != ref.secret_version:
            return
        self._secrets[ref.credential_id] = _OpenedSecret(
            ref.secret_version, credential.origin, secret.reveal().encode()
        )
        self._missing = None
        self._built.clear()

    def _wants(self, credential: Credential) -> bool:
        opened = self._secrets.get(credential.credential_id)
        stale = opened is None or opened.secret_version != credential.secret_version
        return stale and not credential.revoked

    # --- look-ups

    def alias(self, name: str) -> RouteView | None:
        """The route of a model alias, or none when it leads nowhere."""
        view = self._built.get(name)
        if view is None:
            view = self._build(name)
            if view is not None:
                self._built[name] = view
        return view

    def models(self, *, now_us: int, names: Iterable[str] | None = None) -> list[ModelView]:
        """The aliases that can be served and have a price, by name; of `names` only, when given."""
        wanted: Iterable[str] = self.aliases if names is None else names
        views = (self.alias(name) for name in sorted(set(wanted)))
        return [
            ModelView(id=view.alias, created_s=view.created_s, owned_by=view.deployments[0].provider)
            for view in views
            if view is not None and view.deployments and view.price_at(now_us) is not None
        ]

    def deployments_in_use(self) -> list[DeploymentView]:
        """Every deployment that can be called, once for each credential, whether an alias leads there or not."""
        return [view for one in self.deployments for view in self._views(one, 0)]

    def needs_reentry(self, credential: Credential) -> bool:
        """Whether a credential is dead because its provider moved to another origin since it was entered."""
        provider = self.providers[credential.provider_id]
        return not credential.revoked and not credential.fits(provider)

    def _build(self, name: str) -> RouteView | None:
        alias = self.aliases.get(name)
        if alias is None:
            return None
        route = alias.points_to or name
        routed = self.aliases.get(route, NO_ALIAS)
        if not routed.targets:
            return None
        return RouteView(
            alias=name,
            route=route,
            deployments=tuple(
                view for target in routed.targets for view in self._views(target.deployment_id, target.weight)
            ),
            prices=self.prices.get(name, ()),
            route_prices=self.prices.get(route, ()),
            created_s=alias.created_us // 1_000_000,
            strategy=routed.strategy,
            fall_over_on=frozenset(routed.fall_over_on),
        )

    def _views(self, deployment_id: UUID, weight: int) -> list[DeploymentView]:
        """A deployment once for each of its credentials that can be used."""
        deployment = self.deployments[deployment_id]
        provider = self.providers[deployment.provider_id]
        if deployment.disabled or provider.disabled:
            return []
        if deployment.spec.credential_id is None:
            return [self._view(deployment, provider, weight, None, None)]
        origin = self._urls[provider.provider_id].origin
        return [
            self._view(deployment, provider, weight, credential_id, opened)
            for credential_id in deployment.spec.credential_ids
            if (opened := self._secrets.get(credential_id)) is not None and opened.origin == origin
        ]

    def _view(
        self,
        deployment: Deployment,
        provider: Provider,
        weight: int,
        credential_id: UUID | None,
        opened: _OpenedSecret | None,
    ) -> DeploymentView:
        base_url, spec = self._urls[provider.provider_id], deployment.spec
        header, scheme = AUTH_HEADERS[provider.dialect]
        details = spec.detail
        return DeploymentView(
            deployment_id=deployment.deployment_id,
            provider_id=provider.provider_id,
            provider=provider.name,
            dialect=provider.dialect,
            usage_dialect=provider.usage_dialect,
            base_url=base_url,
            chat_url=ParsedUrl(
                base_url.scheme, base_url.host, base_url.port, base_url.path.encode() + _CHAT_PATH
            ),
            authorization=None if opened is None else scheme + opened.secret,
            auth_header=header,
            shares=bool(details.more_credential_ids),
            upstream_model=spec.upstream_model,
            context_tokens=spec.context_tokens,
            output_tokens_max=spec.output_tokens_max,
            output_field=spec.output_field,
            timeouts=spec.timeouts,
            weight=weight,
            credential_id=credential_id,
            secret_version=0 if opened is None else opened.secret_version,
            serves=frozenset(details.serves),
            traits=frozenset(details.traits),
            image_tokens_max=details.image_tokens_max,
            audio_tokens_max=details.audio_tokens_max,
            preamble_tokens=details.preamble_tokens,
            cost=details.cost,
            passes=frozenset(details.passes),
        )
