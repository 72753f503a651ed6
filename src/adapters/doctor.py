"""What is wrong with this set-up and how to mend it: one finding, one line. For the start and for `tokenok doctor`.

Nothing is changed anywhere, and no finding holds a password: addresses are never quoted.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

from adapters.archive.files import ArchiveDirectory
from adapters.eventstore.migrations import MigrationError, pending
from adapters.sealing.keys import parse_seal_keys
from adapters.vault.master_keys import KEY_BYTES, BadMasterKey, key_file_fault, parse_master_keys
from application.archive.segment import SegmentDamaged, decode_manifest
from domain.sealing.notes import BadKey
from settings import Settings

POSTGRES_MAJOR_MIN: Final = 15
_CONNECT_S: Final = 5
_SEGMENTS: Final = """
    SELECT manifest FROM archive_segments WHERE last_position <= (SELECT until_position FROM log_archive)
    ORDER BY last_position"""
_DB_FUNCTIONS: Final = "POSTGRES_ENABLE_DB_FUNCTIONS"
_KEY_FILE: Final = "TOKENOK_MASTER_KEY_FILE"
_OFF: Final = frozenset({"", "0", "n", "no", "f", "false", "off"})
_OPEN_TO_OTHERS: Final = (
    0o037  # others may do nothing, the group may read: secrets are mounted into containers so
)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `code` is stable; with `is_fatal` servers must not be started."""

    code: str
    problem: str
    remedy: str
    is_fatal: bool = True

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


def run_checks(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    with_schema: bool = True,
    postgres_major_min: int = POSTGRES_MAJOR_MIN,
) -> list[Finding]:
    """All findings. `with_schema=False` before the migrations have run. Takes at most a few seconds."""
    return [
        *_environment(environ),
        *_master_key(settings, environ),
        *_signing_key("SEAL_KEY", settings.seal_key, environ),
        *_signing_key("RECEIPT_KEY", settings.receipt_key, environ),
        *_postgres(settings.database_url, with_schema=with_schema, major_min=postgres_major_min),
        *(_archive(settings) if with_schema else ()),
        *_redis(settings.redis_url),
    ]


def _environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    if environ.get(_DB_FUNCTIONS, "").strip().lower() not in _OFF:
        yield Finding(
            code="db_functions_enabled",
            problem=f"{_DB_FUNCTIONS} is set: readers of the event log can lose events with it",
            remedy=f"unset {_DB_FUNCTIONS}",
        )


def _master_key(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    if not settings.tokenok_master_key:
        yield Finding(
            code="master_key_missing",
            problem="there is no master key, so provider credentials can be neither stored nor used",
            remedy=f"put KEYID:base64 of {KEY_BYTES} random bytes into a 0600 file and name it in {_KEY_FILE}",
        )
    else:
        try:
            parse_master_keys(settings.tokenok_master_key)
        except BadMasterKey as error:
            yield Finding(
                code="master_key_malformed",
                problem=f"the master key cannot be used: {error}",
                remedy="restore it from your backup; a new one cannot read credentials stored under the old one",
            )
    key_file = environ.get(_KEY_FILE, "")
    fault = key_file_fault(Path(key_file)) if key_file else None
    if fault:
        problem, _, remedy = fault.partition(": chmod ")
        yield Finding(
            code="master_key_file",
            problem=f"the master key file {problem}",
            remedy=f"chmod {remedy}" if remedy else f"name another file in {_KEY_FILE}",
            is_fatal=False,
        )


def _signing_key(name: str, text: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    if not text:
        return
    try:
        signs = parse_seal_keys(text).signer is not None
    except BadKey as error:
        yield Finding(
            code=f"{name.lower()}_malformed",
            problem=f"{name} cannot be used: {error}",
            remedy="restore it from your backup, or make one with `tokenok seal new-key`",
        )
        return
    key_file = environ.get(f"{name}_FILE", "")
    fault = key_file_fault(Path(key_file)) if key_file and signs else None
    if fault:
        problem, _, remedy = fault.partition(": chmod ")
        yield Finding(
            code=f"{name.lower()}_file",
            problem=f"the private key file {problem}",
            remedy=f"chmod {remedy}" if remedy else f"name another file in {name}_FILE",
            is_fatal=False,
        )


def _postgres(url: str, *, with_schema: bool, major_min: int) -> Iterator[Finding]:
    if not url:
        yield Finding(
            code="database_missing",
            problem="no database is set and none is running for this data directory",
            remedy="start one with ./run up, or set DATABASE_URL",
        )
        return
    if not _is_address(url):
        yield Finding(
            code="database_url_malformed",
            problem="DATABASE_URL is not an address that Postgres understands",
            remedy="write postgresql://USER:PASSWORD@HOST:5432/NAME and percent-encode what is special in it",
        )
        return
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_S) as connection:
            yield from _server(connection, major_min=major_min)
    except psycopg.OperationalError as error:
        yield _unreachable(error)
        return
    if with_schema:
        yield from _schema(url)


def _is_address(url: str) -> bool:
    """False for what libpq would complain of in words that quote a piece of an unescaped password."""
    try:
        ports = str(conninfo_to_dict(url).get("port", ""))
    except psycopg.Error:
        return False
    authority = url.partition("://")[2].partition("/")[0]
    return authority.count("@") <= 1 and all(port.isdecimal() or not port for port in ports.split(","))


def _unreachable(error: psycopg.OperationalError) -> Finding:
    words = " ".join(str(error).split())
    if "password" in words:
        return Finding(
            code="database_password",
            problem=f"Postgres refuses the user or password in DATABASE_URL ({words})",
            remedy="correct it, or change the role's password",
        )
    return Finding(
        code="database_unreachable",
        problem=f"Postgres in DATABASE_URL cannot be reached ({words})",
        remedy="start it, or correct host, port and database name",
    )


def _server(connection: psycopg.Connection, *, major_min: int) -> Iterator[Finding]:
    major = connection.info.server_version // 10_000
    if major < major_min:
        yield Finding(
            code="postgres_too_old",
            problem=f"Postgres {major} is too old",
            remedy=f"use Postgres {major_min} or newer",
        )
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row == ("off",):
            yield Finding(
                code=f"{name}_off",
                problem=f"Postgres runs with {name} off: deductions that were confirmed can be lost",
                remedy=f"set {name} = on in postgresql.conf, and for this role and database",
            )


def _schema(url: str) -> Iterator[Finding]:
    try:
        missing = pending(url)
    except MigrationError as error:
        yield Finding(
            code="schema_mismatch",
            problem=f"the database does not fit this version ({error})",
            remedy="run the version that made it, or restore the file that was changed",
        )
        return
    if missing:
        yield Finding(
            code="schema_behind",
            problem=f"{len(missing)} migrations are missing, first {missing[0].version:04}_{missing[0].name}",
            remedy="run `tokenok migrate`",
        )


def _archive(settings: Settings) -> Iterator[Finding]:
    """Files that the log needs, by their names and sizes; `tokenok archive verify` reads them."""
    try:
        with psycopg.connect(
            settings.database_url, autocommit=True, connect_timeout=_CONNECT_S
        ) as connection:
            rows = connection.execute(_SEGMENTS).fetchall()
    except psycopg.Error:
        return  # told already: it cannot be reached, or has no schema yet
    files = ArchiveDirectory(Path(settings.archive_dir) if settings.archive_dir else None)
    wrong = {}
    for (raw,) in rows:
        try:
            manifest = decode_manifest(bytes(raw))
            wrong[manifest.file] = files.glance(manifest)
        except SegmentDamaged as error:
            wrong[str(error)] = "what the database has kept of it is damaged"
    faults = [f"{name}: {words}" for name, words in wrong.items() if words]
    if faults:
        yield Finding(
            code="archive_files",
            problem=f"{len(faults)} of {len(wrong)} segments of the log are not in the archive as they "
            f"should be, first {faults[0]}",
            remedy="set ARCHIVE_DIR to their directory, or restore the files from your backup",
            is_fatal=False,
        )


def _redis(url: str) -> Iterator[Finding]:
    if not url:
        yield Finding(
            code="redis_missing",
            problem="no Redis is set and none is running for this data directory",
            remedy="start one with ./run up, or set REDIS_URL",
        )
        return
    import redis  # noqa: PLC0415  as long to load as all else of the command line, of which only this asks for it

    try:
        # Not CONFIG GET, which managed services forbid.
        client = redis.Redis.from_url(url, socket_connect_timeout=_CONNECT_S, socket_timeout=_CONNECT_S)
        with client:
            policy = client.info("memory").get("maxmemory_policy", "noeviction")
    except redis.AuthenticationError:
        yield Finding(
            code="redis_password",
            problem="Redis refuses the user or password in REDIS_URL",
            remedy="write redis://USER:PASSWORD@HOST:6379/0 and percent-encode what is special in it",
        )
    except (redis.RedisError, ValueError, OSError) as error:
        yield Finding(
            code="redis_unreachable",
            problem=f"Redis in REDIS_URL cannot be reached ({type(error).__name__})",
            remedy="start it, or correct the address",
        )
    else:
        if policy != "noeviction":
            yield Finding(
                code="redis_evicts",
                problem=f"Redis throws queued work away when memory is short (maxmemory-policy {policy})",
                remedy="set maxmemory-policy noeviction",
                is_fatal=False,
            )
