"""Requests as operators find them: real traffic through a gateway and the sandbox, projected, then read both ways."""

import base64
import secrets
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.api.v1.gateway_world import World as Gateway
from tests.api.v1.gateway_world import ask, running_world
from tests.cli_runner import Cli, project

ENOUGH_NANO = 10**9
MASTER_KEY = f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


class Sent(msgspec.Struct, frozen=True):
    """What was asked, oldest first: ids of requests by what is told of them here."""

    demo_account: str
    other_account: str
    plain: str
    other_model: str
    streamed: str
    failed: str  #: the upstream answered 500: released, nothing charged
    of_other: str

    @property
    def all(self) -> list[str]:
        return [self.plain, self.other_model, self.streamed, self.failed, self.of_other]


@pytest.fixture(scope="module")
def environment(postgres_url: str, redis_url: str) -> Iterator[dict[str, str]]:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {
            "DATABASE_URL": make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name}),
            "REDIS_URL": redis_url,
            "TOKENOK_MASTER_KEY": MASTER_KEY,
            "ALLOW_PRIVATE_UPSTREAMS": "127.0.0.1",
            "DRAIN_S": "2",
        }
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def gateway(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_world(environment, tmp_path_factory.mktemp("requests")) as running:
        yield running


@pytest.fixture(scope="module")
def sent(gateway: Gateway, environment: dict[str, str]) -> Sent:
    """Five requests of two accounts, in the read models."""
    other_key = gateway.new_key("Other", amount_nano=ENOUGH_NANO)

    def asked(
        ref: str, model: str = "demo-fast", *, status: int = 200, key: str | None = None, **more: Any
    ) -> str:
        answer = gateway.chat(ask(model, **more), key=key, **{"x-client-request-id": ref})
        assert answer.status_code == status, answer.text
        request_id = answer.headers["x-request-id"]
        gateway.ending(request_id)
        return str(request_id)

    made = {
        "plain": asked("order-1"),
        "other_model": asked("order-2", "demo"),
        "streamed": asked("order-3", stream=True),
        "failed": asked("order-4", "alone/status_500", status=502),
        "of_other": asked("order-1", key=other_key),
    }
    project(environment["DATABASE_URL"])
    accounts = {one["name"]: one["account_id"] for one in get(gateway, "/accounts")["items"]}
    return Sent(demo_account=accounts["Demo"], other_account=accounts["Other"], **made)


@pytest.fixture
def cli(environment: dict[str, str]) -> Cli:
    return Cli(**environment)


def get(gateway: Gateway, path: str, **query: Any) -> Any:
    headers = {"authorization": f"Bearer {gateway.seed.operator_token}"}
    answer = gateway.client.get(f"/api/admin{path}", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def found(gateway: Gateway, cli: Cli, **query: Any) -> list[str]:
    """The ids, newest first, the same from the API and from the command line."""
    page = get(gateway, "/requests", **query)
    words = [word for name, value in query.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    assert cli.json("requests", "list", *words) == page
    return [row["request_id"] for row in page["requests"]]


def test_all_requests_newest_first(gateway: Gateway, cli: Cli, sent: Sent) -> None:
    """Each once, whoever made it."""
    assert found(gateway, cli) == sent.all[::-1]


def test_requests_of_an_account_or_a_key(gateway: Gateway, cli: Cli, sent: Sent) -> None:
    """Nobody else's are among them."""
    assert found(gateway, cli, account_id=sent.demo_account) == sent.all[3::-1]
    (key,) = get(gateway, "/keys", account_id=sent.other_account)["items"]
    assert found(gateway, cli, key_id=key["key_id"]) == [sent.of_other]
    assert found(gateway, cli, account_id=sent.other_account, alias="demo") == []


def test_requests_by_what_became_of_them(gateway: Gateway, cli: Cli, sent: Sent) -> None:
    """Charged or released; none is still open."""
    assert found(gateway, cli, state="released") == [sent.failed]
    assert len(found(gateway, cli, state="charged")) == 4
    assert found(gateway, cli, state="admitted") == []


def test_requests_by_the_clients_own_reference(gateway: Gateway, cli: Cli, sent: Sent) -> None:
    """Exactly that reference, of every account that used it."""
    assert found(gateway, cli, client_ref="order-1") == [sent.of_other, sent.plain]
    assert found(gateway, cli, client_ref="order-1", account_id=sent.demo_account) == [sent.plain]
    assert found(gateway, cli, client_ref="order") == []


def test_requests_by_the_model_that_was_asked_for(gateway: Gateway, cli: Cli, sent: Sent) -> None:
    """As the client wrote it, a slash in it too."""
    assert found(gateway, cli, alias="demo") == [sent.other_model]
    assert found(gateway, cli, alias="alone/status_500") == [sent.failed]


def test_requests_of_a_time(gateway: Gateway, sent: Sent) -> None:
    """From a time on, before a time: each request is on one side."""
    rows = get(gateway, "/requests")["requests"]
    middle_us = next(row["admitted_us"] for row in rows if row["request_id"] == sent.streamed)

    def ids(**query: int) -> list[str]:
        return [row["request_id"] for row in get(gateway, "/requests", **query)["requests"]]

    assert ids(admitted_from_us=middle_us) == [sent.of_other, sent.failed, sent.streamed]
    assert ids(admitted_until_us=middle_us) == [sent.other_model, sent.plain]


def test_pages_of_requests(gateway: Gateway, cli: Cli, sent: Sent) -> None:
    """Following `next_before` shows each once, in order, and then says that there are no more."""
    seen: list[str] = []
    query: dict[str, int] = {"limit": 2}
    sizes = []
    while True:
        assert found(gateway, cli, **query)
        page = get(gateway, "/requests", **query)
        sizes.append(len(page["requests"]))
        seen += [row["request_id"] for row in page["requests"]]
        if page["next_before"] is None:
            break
        query["before_position"] = page["next_before"]
    assert (seen, sizes) == (sent.all[::-1], [2, 2, 1])


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "state=nonsense", "account_id=x", "before_position=x"]
)
def test_questions_that_make_no_sense(gateway: Gateway, query: str) -> None:
    """400 as a problem."""
    headers = {"authorization": f"Bearer {gateway.seed.operator_token}"}
    answer = gateway.client.get(f"/api/admin/requests?{query}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_one_request_with_its_attempts(gateway: Gateway, sent: Sent) -> None:
    """Charge and tokens are those of the ledger; a failed one shows the upstream's status, and costs nothing."""
    charged = gateway.charge(sent.plain)
    detail = get(gateway, f"/requests/{sent.plain}")
    row = detail["request"]
    assert (row["state"], row["charge_nano"], row["hold_nano"]) == (
        "charged",
        charged.charge_nano,
        charged.hold_nano,
    )
    assert row["charge_nano"] > 0
    assert (row["alias"], row["stream"], row["client_ref"]) == ("demo-fast", False, "order-1")
    assert row["input_tokens"] * 500 + row["output_tokens"] * 1500 == row["charge_nano"]
    (attempt,) = detail["attempts"]
    assert (attempt["number"], attempt["status"], attempt["provider"]) == (1, 200, "sandbox")

    failed = get(gateway, f"/requests/{sent.failed}")
    assert (failed["request"]["state"], failed["request"]["charge_nano"]) == ("released", 0)
    assert {one["status"] for one in failed["attempts"]} == {500}


def test_what_people_see_of_requests(cli: Cli, sent: Sent) -> None:
    """A line for each with its state, model, charge and reference, and how to get more."""
    text = cli.text("requests", "list", "--account-id", sent.demo_account, "--limit", "2")
    head, failed, streamed, _, more = text.splitlines()
    assert head.startswith("ADMITTED (UTC)")
    assert failed.split()[2:] == [sent.failed, "released", "alone/status_500", "-", "0", "order-4"]
    assert streamed.split()[2:5] == [sent.streamed, "charged", "demo-fast"]
    assert more.startswith("More with --before-position ")


def test_balances_and_books_agree_with_the_requests(gateway: Gateway, cli: Cli, sent: Sent) -> None:
    """What the requests of an account cost is what its balance lost, and the verification is clean."""
    rows = get(gateway, "/requests", account_id=sent.other_account)["requests"]
    balance = get(gateway, f"/balances/{sent.other_account}")
    assert balance["charged_nano"] == sum(row["charge_nano"] for row in rows) > 0
    assert balance["posted_nano"] == ENOUGH_NANO - balance["charged_nano"]
    shown = cli.json("balance", "show", "--account-id", sent.other_account)
    assert {name: shown[name] for name in balance} == balance
    report = cli.json("ledger", "verify")
    assert (report["ok"], report["figures"]["requests"]) == (True, 5)
