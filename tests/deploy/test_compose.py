"""`docker-compose.yml` against the code that it runs; no engine is needed, and none runs here."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
import yaml

from adapters.embedded import binaries
from settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("tokenok:")}
SETTINGS = {field.name.upper() for field in msgspec.structs.fields(Settings)}


def help_of(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command, "--help"], capture_output=True, text=True, check=True, cwd=ROOT / "src"
    )
    return done.stdout


def commands() -> list[list[str]]:
    """Of services and health checks, each once."""
    found = [service["command"] for service in OURS.values()]
    found += [
        service["healthcheck"]["test"][1:] for service in OURS.values() if "test" in service["healthcheck"]
    ]
    return [command for index, command in enumerate(found) if command not in found[:index]]


def test_what_production_consists_of() -> None:
    """The six kinds of process of ours and the two servers."""
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "gateway", "console", "worker", "scheduler"}
    assert SERVICES["gateway"]["deploy"]["replicas"] >= 2


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    """A misspelt variable would be ignored in silence."""
    for variable in OURS[name]["environment"]:
        assert variable.removesuffix("_FILE") in SETTINGS, variable


@pytest.mark.parametrize("name", OURS)
def test_secrets_come_by_file(name: str) -> None:
    """Addresses with passwords and the keys are files that the service is given, never values."""
    environment, given = OURS[name]["environment"], OURS[name]["secrets"]
    assert {"DATABASE_URL_FILE", "REDIS_URL_FILE", "TOKENOK_MASTER_KEY_FILE"} <= set(environment)
    told = ("_DIR", "_URL", "CONSOLE_PROXIES", "SIGN_UP", "PUBLIC_PAGES", "BANK_TRANSFER_TO")
    values = {value for variable, value in environment.items() if not variable.endswith(told)}
    assert values <= {f"/run/secrets/{secret}" for secret in given}
    assert set(given) <= set(COMPOSE["secrets"])


def test_one_process_seals_and_the_others_only_read() -> None:
    """The key that signs checkpoints is with the scheduler alone, and nobody else can write to the sealed log."""
    holders = {name for name, service in OURS.items() if "seal_key" in service["secrets"]}
    assert holders == {"scheduler"}
    volumes = [(name, one) for name, service in OURS.items() for one in service["volumes"] if "seal:" in one]
    assert sorted(volumes) == [
        ("console", "seal:/var/lib/tokenok/seal:ro"),
        ("gateway", "seal:/var/lib/tokenok/seal:ro"),
        ("scheduler", "seal:/var/lib/tokenok/seal"),
    ]


def test_everyone_reads_the_archive() -> None:
    """From one volume, which only the process that operators archive in can write to."""
    for name, service in OURS.items():
        (volume,) = [one for one in service["volumes"] if one.startswith("archive:")]
        path, _, mode = volume.removeprefix("archive:").partition(":")
        assert path == service["environment"]["ARCHIVE_DIR"]
        assert mode == ("" if name == "scheduler" else "ro")
    assert "archive" in COMPOSE["volumes"]


@pytest.mark.parametrize("provider", ["stripe", "alipay", "wechat"])
def test_whoever_asks_a_payment_provider_is_given_its_secrets_and_a_way_out(provider: str) -> None:
    """By an addition to the compose file: gateways verify, console, worker and scheduler ask."""
    addition = yaml.safe_load((ROOT / f"docker-compose.{provider}.yml").read_text())
    assert set(addition["services"]) == {"gateway", "console", "worker", "scheduler"}
    for service in addition["services"].values():
        variables = service["environment"]
        assert {name.removesuffix("_FILE") for name in variables} <= SETTINGS
        files = {path for name, path in variables.items() if name.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in service["secrets"]}
        assert set(service["secrets"]) == set(addition["secrets"])
        assert set(service["networks"]) == set(COMPOSE["networks"])


def test_the_worker_is_given_a_way_to_the_mail_server() -> None:
    """By an addition to the compose file: the others only put mails into the outbox."""
    addition = yaml.safe_load((ROOT / "docker-compose.mail.yml").read_text())
    assert set(addition["services"]) == {"gateway", "console", "worker"}
    for name, service in addition["services"].items():
        assert {one.removesuffix("_FILE") for one in service["environment"]} <= SETTINGS
        assert service["environment"]["SMTP_URL_FILE"] == "/run/secrets/smtp_url"
        assert service["secrets"] == ["smtp_url"]
        assert set(service.get("networks", ())) == (set(COMPOSE["networks"]) if name == "worker" else set())
    assert set(addition["secrets"]) == {"smtp_url"}
    assert "master_key" in OURS["worker"]["secrets"]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_exists(command: list[str]) -> None:
    """Each is a module of ours with these options, or a word of `tokenok`."""
    if command[:2] == ["python", "-c"]:
        compile(command[2], "healthcheck", "exec")
    elif command[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(command[2]) is not None
        options = [word for word in command[3:] if word.startswith("--")]
        said = help_of("-m", command[2]) if options else ""
        assert all(option in said for option in options)
    else:
        assert command[0] == "tokenok"
        assert re.search(rf"\b{command[1]}\b", help_of("-m", "cli"))


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_with_more_than_it_needs(name: str) -> None:
    """Read-only, no capabilities but those named, no way to gain any, a pinned tag, bounded memory and processes."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    tag = service["image"].partition(":")[2]
    assert tag[0].isdigit()
    assert name == "postgres" or ("cap_add" not in service and service["user"].split(":")[0] != "0")


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_process_is_watched(name: str) -> None:
    """Each has a health check; the one-shot migration has an exit status instead."""
    assert SERVICES[name]["healthcheck"]["test"]


def test_the_order_of_the_start() -> None:
    """Migrations wait for a healthy database, and everything else for them."""
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("gateway", "worker", "scheduler"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_servers_are_not_reachable_from_outside() -> None:
    """They sit on an internal network and publish no port; gateways publish on the machine itself only."""
    assert COMPOSE["networks"]["data"]["internal"] is True
    for name in ("postgres", "valkey"):
        assert SERVICES[name]["networks"] == ["data"]
        assert "ports" not in SERVICES[name]
    for name in ("gateway", "worker"):  # who calls providers, and customers' endpoints
        assert "outside" in SERVICES[name]["networks"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["gateway"]["ports"])


def test_the_database_volume_fits_the_version() -> None:
    """Since version 18 the image keeps its data below the parent directory; the older path would be lost."""
    assert SERVICES["postgres"]["image"].startswith("postgres:18")
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_the_queue_starts_with_its_password(scratch: Path) -> None:
    """The very command, on a real server: the password is asked for, nothing is evicted, everything is on disk."""
    (scratch / "secret").write_text("open-sesame\n")
    script = (
        SERVICES["valkey"]["command"][2]
        .replace("$$", "$")
        .replace("/run/secrets/valkey_password", str(scratch / "secret"))
        .replace("/data", str(scratch))
        .replace("valkey-server", str(binaries.find_valkey()))
        .replace("- --dir", f"- --port 0 --unixsocket {scratch}/socket --dir")
    )
    server = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        assert any("Ready to accept connections" in line for line in server.stdout)
        with (
            redis.Redis(unix_socket_path=str(scratch / "socket")) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        with redis.Redis(unix_socket_path=str(scratch / "socket"), password="open-sesame") as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert "open-sesame" not in Path(f"/proc/{server.pid}/cmdline").read_text()
    finally:
        server.terminate()
        server.communicate()


def test_the_linter_has_nothing_grave_to_say() -> None:
    """`compose-lint` finds nothing at or above its level "high"."""
    done = subprocess.run(
        [sys.executable, "-m", "compose_lint", "check", "--format", "json", str(ROOT / "docker-compose.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    json.loads(done.stdout)
