"""Argon2id by argon2-cffi. A hash takes 64 MiB and most of a core for a third of a second, so few are made at once."""

import threading
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE: Final = 2


class ArgonPasswords:
    """See `application.people.ports.Passwords`. Give small costs for tests only."""

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = AT_ONCE) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = threading.BoundedSemaphore(at_once)

    def make(self, password: str) -> str:
        with self._places:
            return self._hasher.hash(password)

    def check(self, password: str, password_hash: str | None) -> bool:
        with self._places:
            try:
                self._hasher.verify(password_hash or self._nobodys, password)
            except (VerificationError, InvalidHashError):
                return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    @cached_property
    def _nobodys(self) -> str:
        """What is checked for an address that nobody has, so that it takes as long."""
        return self._hasher.hash("the password of nobody")
