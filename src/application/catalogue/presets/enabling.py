"""Writing what a preset comes to: one stream after the other, each write by itself.

Whatever a crash leaves, the same command finds it and does the rest. All ids follow from the provider's name, so a second
run has nothing to do. What is there already stays as it is, whoever made it: a credential, a deployment's settings, a
price, a route. So a newer preset changes nothing that was published.
"""

import contextlib
from collections.abc import Sequence
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from application.catalogue.deployment_fields import credentials_of
from application.catalogue.presets.plan import PlannedModel, publications
from application.catalogue.presets.preset import PresetEndpoint
from application.catalogue.price_proposals import load_proposals, propose
from application.catalogue.probe_provider import opened
from application.catalogue.provider_place import CredentialProbe, ProviderPlace, asked
from application.catalogue.register_provider import RegisterProvider
from application.catalogue.register_provider import handle as register_provider
from application.catalogue.store_credential import StoreCredential
from application.catalogue.store_credential import handle as store_credential
from application.catalogue.streams import load_credential, load_deployment, load_provider
from application.command import Done, Ports, execute, load, stamp
from domain.catalogue import alias as alias_rules
from domain.catalogue import credential as credential_rules
from domain.catalogue import deployment as deployment_rules
from domain.catalogue import prices
from domain.catalogue import provider as provider_rules
from domain.catalogue.alias import NO_ALIAS, Alias, RouteTarget, alias_stream
from domain.catalogue.base_url import parse_base_url
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListEvent, Publication
from domain.catalogue.provider import Provider, provider_id_of
from domain.fact import Actor
from domain.ids import stream_of
from domain.refusal import AlreadyExists, WrongState
from domain.secret import Secret

_Aliases: TypeAlias = frozenset[str]


PriceState = Literal["published", "proposed", "kept", "unpriced"]


class EnabledModel(msgspec.Struct, frozen=True, kw_only=True):
    """What was done for one model, and what was there. `unpriced` ones are refused until they have a price, `proposed` ones
    until another operator has agreed to it.
    """

    model: str
    alias: str
    deployment_id: UUID
    deployment: Literal["added", "kept"]
    price: PriceState
    route: Literal["set", "kept"]


class Enabled(msgspec.Struct, frozen=True, kw_only=True):
    """What there is now. `position` is that of the last stored event; none: all of it was there already."""

    provider_id: UUID
    provider: Literal["registered", "kept"]
    credential_id: UUID
    credential: Literal["stored", "kept"]
    models: tuple[EnabledModel, ...]
    position: int | None
    probe: CredentialProbe | None = None  #: none: the provider was not asked


class Enabling:
    """One run of the command, and the last position that it wrote."""

    def __init__(
        self,
        endpoint: PresetEndpoint,
        *,
        base_url: str,
        secret: Secret,
        markup_ppm: int,
        note: str,
        actor: Actor,
        ports: Ports,
    ) -> None:
        self._endpoint = endpoint
        self._base_url = base_url
        self._secret = secret
        self._markup_ppm = markup_ppm
        self._note = note
        self._actor = actor
        self._ports = ports
        self._stamp = stamp(ports, actor)
        self._position: int | None = None

    def prices_of(self, models: Sequence[PlannedModel]) -> list[Publication]:
        """Raises: BadField: a price or the markup cannot be used."""
        return publications(models, markup_ppm=self._markup_ppm, now_us=self._stamp.now_us)

    def probe(self, name: str) -> CredentialProbe:
        """Ask the provider, with the secret that is used from then on: the new one, or that of an earlier run.

        Raises:
            SecretRefused: the provider does not know the new one.
            WrongState, VaultError: the earlier one is revoked, or cannot be opened.
        """
        credential_id = _credential_of(provider_id_of(name))
        self._require_alive(credential_id)
        known = load_credential(self._ports.store, credential_id)
        place = ProviderPlace(
            dialect=self._endpoint.dialect,
            usage_dialect=self._endpoint.usage_dialect,
            base_url=parse_base_url(self._base_url),
            secret=self._secret if known is None else opened(known, self._ports),
        )
        probed = asked(self._ports.probe, place, credential_id)
        if known is None and probed.is_refused:
            raise credential_rules.SecretRefused(name)
        return probed

    def enable(self, name: str, models: Sequence[PlannedModel]) -> Enabled:
        """Do what is not done yet, under the provider's `name`. Raises: as the command."""
        provider_id = provider_id_of(name)
        credential_id = _credential_of(provider_id)
        self._require_alive(credential_id)
        registered = self._register(name)
        provider = load_provider(self._ports.store, provider_id)
        stored = self._store_secret(provider, credential_id)
        ids = [stream_of(provider_id, f"preset-deployment:{one.model.id}") for one in models]
        added = [
            self._add(one, deployment_id, provider, credential_id)
            for one, deployment_id in zip(models, ids, strict=True)
        ]
        ours = self._ours(models, ids)
        published = frozenset() if self._ports.prices_need_approval else self._publish(ours)
        proposed = self._propose(ours) if self._ports.prices_need_approval else frozenset()
        priced = self._priced()
        routed = [
            self._route(one.alias, deployment_id) for one, deployment_id in zip(models, ids, strict=True)
        ]
        return Enabled(
            provider_id=provider_id,
            provider="registered" if registered else "kept",
            credential_id=credential_id,
            credential="stored" if stored else "kept",
            models=tuple(
                EnabledModel(
                    model=one.model.id,
                    alias=one.alias,
                    deployment_id=deployment_id,
                    deployment="added" if is_new else "kept",
                    price=_price_state(one.alias, published, proposed, priced),
                    route="set" if is_routed else "kept",
                )
                for one, deployment_id, is_new, is_routed in zip(models, ids, added, routed, strict=True)
            ),
            position=self._position,
        )

    def _require_alive(self, credential_id: UUID) -> None:
        credential = load_credential(self._ports.store, credential_id)
        if credential is not None:
            credential_rules.alive(credential)

    def _register(self, name: str) -> bool:
        """An operator may have changed the provider since: its terms stay, its place must be the one of the key."""
        known = load(self._ports.store, provider_id_of(name), None, provider_rules.evolve)
        if known is not None:
            if (known.base_url, known.dialect) != (self._base_url, self._endpoint.dialect):
                raise AlreadyExists("provider", name)
            return False
        command = RegisterProvider(
            name=name,
            base_url=self._base_url,
            dialect=self._endpoint.dialect,
            usage_dialect=self._endpoint.usage_dialect,
        )
        return self._noted(register_provider(command, actor=self._actor, ports=self._ports).done)

    def _store_secret(self, provider: Provider, credential_id: UUID) -> bool:
        if load_credential(self._ports.store, credential_id) is not None:
            return False
        command = StoreCredential(
            provider_id=provider.provider_id, secret=self._secret, credential_id=credential_id
        )
        return self._noted(store_credential(command, actor=self._actor, ports=self._ports).done)

    def _add(self, one: PlannedModel, deployment_id: UUID, provider: Provider, credential_id: UUID) -> bool:
        store = self._ports.store
        if load_deployment(store, deployment_id) is not None:
            return False
        spec = msgspec.structs.replace(one.spec, credential_id=credential_id)
        credentials = credentials_of(spec, store)
        done = execute(
            store,
            deployment_id,
            None,
            deployment_rules.evolve,
            lambda deployment: deployment_rules.add(
                deployment,
                deployment_id=deployment_id,
                provider=provider,
                credentials=credentials,
                spec=spec,
                stamp=self._stamp,
            ),
        )
        return self._noted(done)

    def _ours(self, models: Sequence[PlannedModel], ids: Sequence[UUID]) -> list[PlannedModel]:
        """Those whose aliases lead here, or will."""
        return [
            one
            for one, deployment_id in zip(models, ids, strict=True)
            if _is_free_for(
                load(self._ports.store, alias_stream(one.alias), NO_ALIAS, alias_rules.evolve), deployment_id
            )
        ]

    def _priced(self) -> _Aliases:
        return load(self._ports.store, PRICE_LIST_STREAM, _Aliases(), _with_priced)

    def _publish(self, ours: Sequence[PlannedModel]) -> _Aliases:
        """The aliases that got a price. Present and later prices are stored together."""
        done = execute(
            self._ports.store,
            PRICE_LIST_STREAM,
            _Aliases(),
            _with_priced,
            lambda priced: [
                prices.published(one, approved_by=self._actor.label, note=self._note, stamp=self._stamp)
                for one in self.prices_of([one for one in ours if one.alias not in priced])
            ],
        )
        self._noted(done)
        return _Aliases().union(
            *(event.entries for event in done.events if isinstance(event, PriceListEvent))
        )

    def _propose(self, ours: Sequence[PlannedModel]) -> _Aliases:
        """The aliases whose prices wait for a second operator. While others' wait, nothing is proposed; a later run does it."""
        store, priced = self._ports.store, self._priced()
        wanted = self.prices_of([one for one in ours if one.alias not in priced])
        if wanted and load_proposals(store).waiting is None:
            with contextlib.suppress(WrongState):  # somebody else has proposed in between
                done = propose(wanted, note=self._note, actor=self._actor, ports=self._ports)
                self._position = done.position or self._position
        waiting = load_proposals(store).waiting
        return frozenset() if waiting is None else waiting.aliases

    def _route(self, alias: str, deployment_id: UUID) -> bool:
        target = RouteTarget(deployment_id=deployment_id)
        done = execute(
            self._ports.store,
            alias_stream(alias),
            NO_ALIAS,
            alias_rules.evolve,
            lambda known: (
                []
                if known.exists
                else alias_rules.set_route(
                    known, name=alias, targets=(target,), known=frozenset((deployment_id,)), stamp=self._stamp
                )
            ),
        )
        return self._noted(done)

    def _noted(self, done: Done) -> bool:
        """Whether anything was stored."""
        if done.position is not None:
            self._position = done.position
        return bool(done.events)


def _credential_of(provider_id: UUID) -> UUID:
    return stream_of(provider_id, "preset-credential")


def _with_priced(priced: _Aliases, event: PriceListEvent) -> _Aliases:
    return priced.union(event.entries)


def _is_free_for(alias: Alias, deployment_id: UUID) -> bool:
    """An alias that leads elsewhere has its operator's price, or none on purpose."""
    return not alias.exists or any(target.deployment_id == deployment_id for target in alias.targets)


def _price_state(alias: str, published: _Aliases, proposed: _Aliases, priced: _Aliases) -> PriceState:
    if alias in published:
        return "published"
    if alias in priced:
        return "kept"
    return "proposed" if alias in proposed else "unpriced"
