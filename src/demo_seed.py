"""The demo of `tokenok up`: an account with credit and a key, an operator, and models served by the sandbox."""

import contextlib
import secrets
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

import msgspec

from application.accounts import open_account
from application.catalogue import (
    add_deployment,
    change_provider,
    publish_prices,
    register_provider,
    set_route,
)
from application.command import Ports
from application.keys import issue_key
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.members import invite_member
from application.operators import invite_operator, register_operator
from application.people.email import email_hash
from application.people.join import Who, join_as_operator, join_as_somebody_new
from application.people.links import Link
from application.people.ports import PeoplePorts
from bootstrap import make_people, open_pool, ports_of
from domain.catalogue.addresses import Allowlist
from domain.catalogue.prices import PriceText
from domain.catalogue.provider import provider_id_of
from domain.fact import SYSTEM
from domain.ledger.credit import LotAlreadyGranted
from domain.refusal import AlreadyExists
from domain.secret import Secret
from settings import Settings

_NAMES: Final = UUID("5f2b64de-54a5-4c4e-a05c-3a9a6f7a6d01")
ACCOUNT_ID: Final = uuid5(_NAMES, "account")
KEY_ID: Final = uuid5(_NAMES, "key")
OPERATOR_ID: Final = uuid5(_NAMES, "operator")
LOT_ID: Final = uuid5(_NAMES, "lot")
PROVIDER: Final = "sandbox"
_PASSWORD_BYTES: Final = 12
CREDITS_NANO: Final = 100 * 10**9
MODELS: Final = ("sandbox-fast", "sandbox-slow")
ALIASES: Final = {"demo": ("sandbox-fast", "sandbox-slow"), "demo-fast": ("sandbox-fast",)}
OPERATOR_EMAIL: Final = "admin@localhost"
MEMBER_EMAIL: Final = "customer@localhost"
PRICE: Final = PriceText(input="0.5", cached_input="0.05", cache_write="0.5", output="1.5", request="0")


class DemoSeed(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo consists of; a secret that was told before is the empty string."""

    account_id: UUID
    api_key: str
    operator_token: str
    credits_nano: int
    operator_password: str = ""
    member_password: str = ""
    operator_email: str = OPERATOR_EMAIL
    member_email: str = MEMBER_EMAIL


def seed_demo(settings: Settings, *, sandbox_base_url: str, data_root: Path) -> DemoSeed:
    """Make the demo, or bring the one that is there to this sandbox's address. Safe to repeat.

    Raises:
        Refusal, EventLogError, VaultError: something could not be made; what was made before stays.
    """
    del data_root  # the caller keeps the secrets there
    with ports_of(settings) as ports:
        # The demo costs nobody anything, and has no second operator yet.
        local = msgspec.structs.replace(
            ports, allowlist=Allowlist.parse("127.0.0.1"), prices_need_approval=False
        )
        _seed_catalogue(local, sandbox_base_url)
        api_key, operator_token = _seed_account(ports), _seed_operator(ports)
        operator_password, member_password = _seed_people(settings, ports)
        return DemoSeed(
            account_id=ACCOUNT_ID,
            api_key=api_key,
            operator_token=operator_token,
            credits_nano=CREDITS_NANO,
            operator_password=operator_password,
            member_password=member_password,
        )


def _seed_catalogue(ports: Ports, base_url: str) -> None:
    provider_id = provider_id_of(PROVIDER)
    try:
        command = register_provider.RegisterProvider(
            name=PROVIDER, base_url=base_url, usage_dialect="openai", trains_on_data=False, retention_days=0
        )
        register_provider.handle(command, actor=SYSTEM, ports=ports)
    except AlreadyExists:
        change_provider.handle(
            change_provider.ChangeProvider(
                provider_id=provider_id,
                base_url=base_url,
                usage_dialect="openai",
                trains_on_data=False,
                retention_days=0,
            ),
            actor=SYSTEM,
            ports=ports,
        )
        return
    for model in MODELS:
        add_deployment.handle(
            add_deployment.AddDeployment(
                deployment_id=uuid5(_NAMES, model),
                provider_id=provider_id,
                upstream_model=model,
                context_tokens=128_000,
                output_tokens_max=4_096,
            ),
            actor=SYSTEM,
            ports=ports,
        )
    for alias, models in ALIASES.items():
        targets = tuple(set_route.Target(deployment_id=uuid5(_NAMES, model)) for model in models)
        set_route.handle(set_route.SetRoute(alias=alias, targets=targets), actor=SYSTEM, ports=ports)
    prices = publish_prices.PublishPrices(entries=dict.fromkeys(ALIASES, PRICE), note="demo")
    publish_prices.handle(prices, actor=SYSTEM, ports=ports)


def _seed_account(ports: Ports) -> str:
    """The API key's secret, or nothing if the key is there already."""
    try:
        command = open_account.OpenAccount(name="Demo", account_id=ACCOUNT_ID)
        open_account.handle(command, actor=SYSTEM, ports=ports)
    except AlreadyExists:
        pass
    with contextlib.suppress(LotAlreadyGranted):
        grant_credit(
            GrantCredit(
                account_id=ACCOUNT_ID,
                lot_id=LOT_ID,
                amount_nano=CREDITS_NANO,
                source="promo",
                reason="demo credit",
                granted_by=SYSTEM.label,
            ),
            store=ports.store,
            clock=ports.clock,
        )
    try:
        key = issue_key.IssueKey(account_id=ACCOUNT_ID, name="Demo key", key_id=KEY_ID)
        return issue_key.handle(key, actor=SYSTEM, ports=ports).secret.reveal()
    except AlreadyExists:
        return ""


def _seed_operator(ports: Ports) -> str:
    """The first operator's token, or nothing if there is one already."""
    try:
        command = register_operator.RegisterOperator(name="Admin", role="admin", operator_id=OPERATOR_ID)
        return register_operator.handle(command, actor=SYSTEM, ports=ports).token.reveal()
    except AlreadyExists:
        return ""


def _seed_people(settings: Settings, ports: Ports) -> tuple[str, str]:
    """The passwords of the operator and of a customer's owner; empty for whoever has one already."""
    with open_pool(settings) as pool:
        people = make_people(settings, pool)
        return _seed_operators_password(ports, people), _seed_owner(ports, people)


def _seed_operators_password(ports: Ports, people: PeoplePorts) -> str:
    if people.people.get(OPERATOR_ID) is not None:
        return ""
    link = invite_operator.handle(
        invite_operator.InviteOperator(operator_id=OPERATOR_ID), actor=SYSTEM, ports=ports
    )
    who = _who(OPERATOR_EMAIL)
    join_as_operator(_end_of(link), who, ports=ports, people=people)
    return who.password.reveal()


def _seed_owner(ports: Ports, people: PeoplePorts) -> str:
    if people.people.by_email(email_hash(ports.hasher, MEMBER_EMAIL)) is not None:
        return ""
    link = invite_member.handle(
        invite_member.InviteMember(account_id=ACCOUNT_ID, role="owner"), actor=SYSTEM, ports=ports
    )
    who = _who(MEMBER_EMAIL)
    join_as_somebody_new(ACCOUNT_ID, _end_of(link), who, ports=ports, people=people)
    return who.password.reveal()


def _who(email: str) -> Who:
    return Who(email=email, password=Secret(secrets.token_urlsafe(_PASSWORD_BYTES)))


def _end_of(link: Link) -> str:
    return link.link.reveal().rpartition("/")[2]
