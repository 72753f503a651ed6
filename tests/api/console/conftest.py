"""A real console on a database of each test's own, with people of every role and cheap password hashes."""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

import httpx
import msgspec
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from adapters.people.passwords import ArgonPasswords
from application.accounts import open_account
from application.command import Ports
from application.members import invite_member
from application.operators import invite_operator, register_operator
from application.people.join import Who, join_as_operator, join_as_somebody_new
from application.people.ports import PeoplePorts
from bootstrap import make_people, open_pool, ports_of
from console_app import make_console
from console_process import ConsoleProcess
from domain.fact import SYSTEM
from domain.members import MEMBER_PERMISSIONS, MemberRole
from domain.operators import PERMISSIONS, Role
from domain.secret import Secret
from settings import Settings
from tests.api.console.mailbox import Mailbox
from tests.cli_runner import project
from tests.databases import migrated_template

MASTER_KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()
PASSWORD = "a long enough password"
CONSOLE_URL = "https://console.test"
ACCOUNT, OTHER = UUID(int=0xA), UUID(int=0xB)
_TOKEN = re.compile(r'name="_csrf" value="([0-9a-f]+)"')


class World(msgspec.Struct, frozen=True):
    """A client of the running console, which holds the cookies of one browser."""

    client: TestClient[Litestar]
    process: ConsoleProcess
    staff: dict[Role, UUID]
    members: dict[MemberRole, UUID]
    mailbox: Mailbox

    @staticmethod
    def uuid(text: str) -> UUID:
        return UUID(text)

    def refresh(self) -> None:
        """Have the console read what was recorded beside it."""
        with self.client.portal() as portal:
            portal.call(self.process.follower.catch_up)

    def project(self) -> None:
        """Bring the read models to the end of the log, as a worker does within moments."""
        project(self.process.settings.database_url)

    def get(self, path: str, **more: str) -> httpx.Response:
        return self.client.get(path, headers=more, follow_redirects=False)

    def token(self, path: str = "/sign-in") -> str:
        """What our pages put into their forms for this browser."""
        found = _TOKEN.search(self.client.get(path, follow_redirects=True).text)
        assert found is not None, "the page has a form"
        return found[1]

    def post(self, path: str, *, token: str | None = None, **fields: str) -> httpx.Response:
        """Send a form as one of our pages would."""
        values = {"_csrf": self.token() if token is None else token, **fields}
        return self.client.post(path, data=values, follow_redirects=False)

    def sign_in(self, who: str, password: str = PASSWORD) -> httpx.Response:
        """As `admin@staff.example` or `owner@customer.example`, in a fresh browser."""
        self.client.cookies.clear()
        return self.post("/sign-in", email=who, password=password)

    def as_staff(self, role: Role) -> None:
        assert self.sign_in(f"{role}@staff.example").status_code == 303

    def as_member(self, role: MemberRole) -> None:
        assert self.sign_in(f"{role}@customer.example").status_code == 303


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with make_world(database_url) as made:
        yield made


@contextmanager
def make_world(
    database_url: str,
    *,
    sign_up: Literal["open", "closed"] = "open",
    console_url: str = CONSOLE_URL,
    with_mail: bool = True,
    public_pages: Literal["on", "off"] = "on",
    oidc_issuer: str = "",
    payments: Mapping[str, str] | None = None,
    prices_need_approval: Literal["on", "off"] = "off",
    operators_need_second_factor: Literal["on", "off"] = "off",
) -> Iterator[World]:
    """A running console with the people of one account."""
    settings = Settings(
        database_url=database_url,
        tokenok_master_key=MASTER_KEY,
        sign_up=sign_up,
        console_url=console_url,
        public_pages=public_pages,
        prices_need_approval=prices_need_approval,
        operators_need_second_factor=operators_need_second_factor,
        oidc_issuer=oidc_issuer,
        oidc_client_id="console" if oidc_issuer else "",
        oidc_client_secret="secret" if oidc_issuer else "",
        mail_dir="/dev/null" if with_mail else "",
        **(payments or {}),  # type: ignore[arg-type]  # all of them are texts
    )
    cheap = ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with ports_of(settings) as ports, open_pool(settings) as pool:
        people = msgspec.structs.replace(make_people(settings, pool), passwords=cheap)
        staff = {role: _operator(role, ports, people) for role in PERMISSIONS}
        for account_id in (ACCOUNT, OTHER):
            command = open_account.OpenAccount(name="Acme", account_id=account_id)
            open_account.handle(command, actor=SYSTEM, ports=ports)
        members = {role: _member(role, ports, people) for role in MEMBER_PERMISSIONS}
    with open_pool(settings) as pool:
        process = ConsoleProcess(
            settings,
            people=msgspec.structs.replace(make_people(settings, pool), passwords=cheap),
            settle_s=0,  # nobody reads on here
        )
        with TestClient(make_console(process), base_url=CONSOLE_URL) as client:
            yield World(client, process, staff, members, Mailbox(process.ports))


def _operator(role: Role, ports: Ports, people: PeoplePorts) -> UUID:
    made = register_operator.handle(
        register_operator.RegisterOperator(name=role, role=role), actor=SYSTEM, ports=ports
    )
    command = invite_operator.InviteOperator(operator_id=made.operator_id)
    link = invite_operator.handle(command, actor=SYSTEM, ports=ports).link.reveal()
    who = Who(email=f"{role}@staff.example", password=Secret(PASSWORD))
    return join_as_operator(link.rpartition("/")[2], who, ports=ports, people=people)


def _member(role: MemberRole, ports: Ports, people: PeoplePorts) -> UUID:
    command = invite_member.InviteMember(account_id=ACCOUNT, role=role)
    link = invite_member.handle(command, actor=SYSTEM, ports=ports).link.reveal()
    who = Who(email=f"{role}@customer.example", password=Secret(PASSWORD))
    return join_as_somebody_new(ACCOUNT, link.rpartition("/")[2], who, ports=ports, people=people)
