"""A small installation for tests of the directory, made by the real commands."""

from uuid import UUID

from application.accounts import open_account
from application.catalogue import (
    add_deployment,
    publish_prices,
    register_provider,
    set_route,
    store_credential,
)
from application.directory import Directory
from application.keys import issue_key
from application.keys.stream import IssuedKey
from domain.catalogue.prices import PriceText
from domain.fact import SYSTEM
from domain.secret import Secret
from tests.fakes import ManualClock, MemoryEventStore, MemoryVault, memory_ports

SECRET = "sk-canary-0123456789"


class World:
    """Ports, a directory that follows by hand, and shorthands for what tests set up."""

    def __init__(self) -> None:
        self.ports = memory_ports(allowlist="127.0.0.1,127.0.0.2")
        assert isinstance(self.ports.store, MemoryEventStore)
        assert isinstance(self.ports.clock, ManualClock)
        assert isinstance(self.ports.vault, MemoryVault)
        self.store = self.ports.store
        self.clock = self.ports.clock
        self.vault = self.ports.vault
        self.directory = Directory(self.ports.hasher)

    def follow(self) -> Directory:
        """Apply everything and open every secret."""
        for recorded in self.store.read_control(after_position=self.directory.position, limit=10_000):
            self.directory.apply(recorded)
        for ref in self.directory.missing_secrets():
            self.directory.put_secret(ref, self.vault.open(ref))
        return self.directory

    def account(self) -> UUID:
        return open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=self.ports).id

    def key(
        self, account_id: UUID, *, expires_us: int | None = None, models: tuple[str, ...] | None = None
    ) -> IssuedKey:
        command = issue_key.IssueKey(account_id=account_id, name="k", expires_us=expires_us, models=models)
        return issue_key.handle(command, actor=SYSTEM, ports=self.ports)

    def provider(self, name: str = "acme", base_url: str = "http://127.0.0.1:9000/v1") -> UUID:
        command = register_provider.RegisterProvider(name=name, base_url=base_url, usage_dialect="sandbox")
        return register_provider.handle(command, actor=SYSTEM, ports=self.ports).id

    def credential(self, provider_id: UUID) -> UUID:
        command = store_credential.StoreCredential(provider_id=provider_id, secret=Secret(SECRET))
        return store_credential.handle(command, actor=SYSTEM, ports=self.ports).id

    def deployment(self, provider_id: UUID, credential_id: UUID | None = None, model: str = "big-1") -> UUID:
        command = add_deployment.AddDeployment(
            provider_id=provider_id,
            credential_id=credential_id,
            upstream_model=model,
            context_tokens=1000,
            output_tokens_max=100,
            idle_ms=5,
        )
        return add_deployment.handle(command, actor=SYSTEM, ports=self.ports).id

    def route(self, alias: str, *deployment_ids: UUID, weights: tuple[int, ...] = ()) -> None:
        targets = tuple(
            set_route.Target(deployment_id=one, weight=weights[number] if weights else 0)
            for number, one in enumerate(deployment_ids)
        )
        set_route.handle(set_route.SetRoute(alias=alias, targets=targets), actor=SYSTEM, ports=self.ports)

    def price(self, alias: str, output: str, *, effective_from_us: int | None = None) -> int:
        text = PriceText(input="1", cached_input="1", cache_write="1", output=output, request="0")
        command = publish_prices.PublishPrices(
            entries={alias: text}, note="n", effective_from_us=effective_from_us
        )
        return publish_prices.handle(command, actor=SYSTEM, ports=self.ports).version

    def serve(self, alias: str = "acme/big") -> UUID:
        """A route with a price that works; returns its deployment."""
        provider_id = self.provider()
        deployment_id = self.deployment(provider_id, self.credential(provider_id))
        self.route(alias, deployment_id)
        self.price(alias, "2")
        return deployment_id
