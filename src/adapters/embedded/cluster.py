"""The Postgres cluster on disk: how it is made, and when it is refused.

It is called after its major version (`postgres-18`). It is made in a sibling directory (`postgres-18.init`) and renamed
when whole, so a half-made one is never picked up. Its superuser is `tokenok`, with a password in a 0600 file: a socket's
path can be read off the process list, so `trust` would let in any local user who can reach it.
"""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from adapters.embedded import leftover
from adapters.embedded.binaries import PostgresBinaries
from adapters.embedded.errors import DataUnusable, StartFailed
from adapters.embedded.home import PREFIX, clusters_in
from adapters.embedded.identity import ServerUser
from adapters.embedded.private_file import write_private

SUPERUSER = "tokenok"
DATABASE = "tokenok"
_INITDB_S = 300.0


def prepare_cluster(
    home: Path,
    *,
    major: int,
    binaries: PostgresBinaries,
    user: ServerUser,
    password_path: Path,
    scratch: Path,
) -> Path:
    """The cluster for this major version, made if there is none yet. `scratch`: a private directory of `user`'s.

    Raises:
        DataUnusable: the data belongs to another major version, or its password file is lost.
        StartFailed: `initdb` failed; its words are in the message.
    """
    cluster = home / f"{PREFIX}{major}"
    if cluster.exists():
        if _version_of(cluster) != str(major):
            raise DataUnusable(f"{cluster} holds data of Postgres {_version_of(cluster)}, not {major}")
        read_password(password_path)
        return cluster
    others = clusters_in(home)
    if others:
        raise DataUnusable(
            f"{others[0]} holds data of Postgres {_version_of(others[0])}, but Postgres {major} would run: "
            "name the old one's programs with TOKENOK_PG_BIN, or dump and reload the data"
        )
    _make(cluster, binaries=binaries, user=user, password_path=password_path, scratch=scratch)
    return cluster


def read_password(path: Path) -> str:
    """The superuser's password.

    Raises:
        DataUnusable: its file is lost.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise DataUnusable(f"the database password in {path} cannot be read: {error.strerror}") from None


def _make(
    cluster: Path, *, binaries: PostgresBinaries, user: ServerUser, password_path: Path, scratch: Path
) -> None:
    staged = cluster.with_name(f"{cluster.name}.init")
    leftover.settle_backends(staged)  # of a start that was killed while it made this
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    user.give(staged)
    password = secrets.token_urlsafe(24)
    write_private(password_path, password + "\n")
    handed = scratch / "password"  # `initdb` runs as `user`, who cannot read ours
    handed.touch(mode=0o600)
    handed.write_text(password + "\n", encoding="utf-8")
    user.give(handed)
    try:
        _run_tool(_initdb(binaries, directory=staged, password_file=handed), user=user)
        # No client is at hand that needs only the standard library, so the server's single-user mode makes it.
        _run_tool(
            [str(binaries.postgres), "--single", "-D", str(staged), "postgres"],
            user=user,
            input_text=f"CREATE DATABASE {DATABASE}\n",
        )
    finally:
        handed.unlink()
    staged.rename(cluster)
    _sync_directory(cluster.parent)


def _initdb(binaries: PostgresBinaries, *, directory: Path, password_file: Path) -> list[str]:
    locale = "C" if sys.platform == "darwin" else "C.UTF-8"
    return [
        *(str(binaries.initdb), "-D", str(directory), "-U", SUPERUSER, "-E", "UTF8", f"--locale={locale}"),
        *("--data-checksums", "--no-instructions", "--auth=scram-sha-256", f"--pwfile={password_file}"),
    ]


def _run_tool(command: list[str], *, user: ServerUser, input_text: str = "") -> None:
    try:
        done = user.run(command, input_text=input_text, timeout_s=_INITDB_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartFailed(f"the database could not be made: {error}") from None
    if done.returncode != 0 or "ERROR:" in done.stderr:  # single-user mode reports its errors with status 0
        raise StartFailed(
            f"the database could not be made; {Path(command[0]).name} said: {done.stderr.strip()}"
        )


def _version_of(cluster: Path) -> str:
    try:
        return (cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return "an unknown version"


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
