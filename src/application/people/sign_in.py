"""Signing in: password, then the one-time code of whoever has a second factor, with a lock after too many failures.

Every refusal is the same, and takes the same work: nobody learns who has an account.
"""

from collections.abc import Sequence
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from application.clock import Clock, Ids
from application.people.email import email_hash
from application.people.ports import PeoplePorts, Person, Session, Stage
from domain.keys.secret import SecretHasher
from domain.refusal import Refusal
from domain.secret import Secret

WINDOW_US: Final = 15 * 60 * 1_000_000
ACCOUNT_FAILURES_MAX: Final = 10
ADDRESS_FAILURES_MAX: Final = 50
"""Failures in a quarter of an hour, after which one account, or one network address, is refused whatever comes."""
_BOTH_MAX: Final = (ACCOUNT_FAILURES_MAX, ADDRESS_FAILURES_MAX)
_NOBODY: Final = UUID(int=0)
SESSION_US: Final = 7 * 24 * 3600 * 1_000_000
HALF_WAY_US: Final = 10 * 60 * 1_000_000
_SECRET_BYTES: Final = 32
_AGENT_CHARS_MAX: Final = 300


class WrongSignIn(Refusal):
    """No such address, or not its password: it is not told which."""

    code: ClassVar[str] = "wrong_sign_in"


class WrongCode(Refusal):
    """Not the code of now, or one that was used before."""

    code: ClassVar[str] = "wrong_code"


class TooManyFailures(Refusal):
    """Locked for a while. What was sent was not looked at."""

    code: ClassVar[str] = "too_many_failures"


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request comes from."""

    address: str
    agent: str = ""
    browser: str = ""  #: what the browser holds since somebody signed in with it


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new session and what the browser is to hold of it."""

    session: Session
    secret: Secret


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases. All of them block, for a third of a second where a password is checked."""

    ports: PeoplePorts
    hasher: SecretHasher
    clock: Clock
    ids: Ids

    def with_password(self, email: str, password: str, *, visitor: Visitor) -> SignedIn:
        """A session; of stage `password` while a one-time code is owed.

        Raises:
            WrongSignIn, TooManyFailures: see there.
        """
        address_hash = email_hash(self.hasher, email)
        person = self.ports.people.by_email(address_hash)
        buckets = self._buckets_of(address_hash, person, visitor)
        self._take(buckets)
        known = None if person is None else person.password_hash
        is_right = self.ports.passwords.check(password, known)
        if person is None or not is_right:
            raise WrongSignIn("this address and this password do not go together")
        self._give_back(buckets)
        self._renew(person, password)
        if not person.has_totp:
            self.ports.failures.forget(buckets[0])
        return self._open(person.person_id, "password" if person.has_totp else "full", visitor=visitor)

    def with_code(self, session: Session, code: str, *, visitor: Visitor) -> SignedIn:
        """A new session in place of one that owes a code: by the authenticator, or by a recovery code, which is used up.

        Raises:
            WrongCode, TooManyFailures: see there.
        """
        self.require_code(session.person_id, code, visitor=visitor)
        self.ports.sessions.close(session.session_id, person_id=session.person_id)
        return self._open(session.person_id, "full", visitor=visitor)

    def require_code(self, person_id: UUID, code: str, *, visitor: Visitor) -> None:
        """It is right, and used by this.

        Raises:
            WrongCode, TooManyFailures: see there.
        """
        buckets = (self._bucket(b"code", person_id.bytes), self._of_address(visitor))
        self._take(buckets)
        if not self.is_code_right(person_id, code):
            raise WrongCode("this code is not right, or was used")
        self._give_back(buckets)
        self.ports.failures.forget(buckets[0])

    def is_code_right(self, person_id: UUID, code: str) -> bool:
        """Whether it is right, and it is used by this."""
        plain = "".join(code.split()).replace("-", "").lower()
        seed = self.ports.people.totp_seed(person_id)
        if seed is None or not plain:
            return False
        step = self.ports.codes.step_of(seed, plain, now_us=self.clock.now_us())
        if step is not None:
            return self.ports.people.use_step(person_id, step)
        return self.ports.people.use_recovery_code(person_id, recovery_hash(self.hasher, person_id, plain))

    def is_password_right(self, person: Person, password: str, *, visitor: Visitor) -> bool:
        """Asked once more before something grave.

        Raises:
            TooManyFailures: see there.
        """
        buckets = (self._bucket(b"again", person.person_id.bytes), self._of_address(visitor))
        self._take(buckets)
        is_right = self.ports.passwords.check(password, person.password_hash)
        if is_right:
            self._give_back(buckets)
        return is_right

    def session(self, secret: str) -> Session | None:
        """Whose browser this is; none for one that nobody is signed in with, or not any more."""
        return self.ports.sessions.find(self.hasher.digest(secret.encode()), now_us=self.clock.now_us())

    def open(self, person_id: UUID, *, visitor: Visitor, owes_code: bool = False) -> SignedIn:
        """A session for somebody who has just proved who they are in another way."""
        return self._open(person_id, "password" if owes_code else "full", visitor=visitor)

    def knock(self, visitor: Visitor) -> None:
        """For ways in that name no account before they are through: counts as a failure until `pass_through`.

        Raises:
            TooManyFailures: too many from this network address.
        """
        self._take((self._of_address(visitor),), (ADDRESS_FAILURES_MAX,))

    def pass_through(self, visitor: Visitor) -> None:
        """It was none."""
        self._give_back((self._of_address(visitor),))

    def _buckets_of(self, address_hash: bytes, person: Person | None, visitor: Visitor) -> tuple[bytes, ...]:
        """Where failures count. A browser that its person has signed in with counts by itself, so that nobody can lock them
        out of it by failing elsewhere.
        """
        held = browser_hash(self.hasher, visitor.browser)
        if self.ports.browsers.knows(person.person_id if person else _NOBODY, held):
            return (self._bucket(b"browser", address_hash + held),)
        return (self._bucket(b"account", address_hash), self._of_address(visitor))

    def _open(self, person_id: UUID, stage: Stage, *, visitor: Visitor) -> SignedIn:
        now_us = self.clock.now_us()
        secret = Secret(self.ids.entropy(_SECRET_BYTES).hex())
        session = Session(
            session_id=self.ids.new(),
            person_id=person_id,
            stage=stage,
            made_us=now_us,
            seen_us=now_us,
            expires_us=now_us + (SESSION_US if stage == "full" else HALF_WAY_US),
            address=visitor.address,
            agent=visitor.agent[:_AGENT_CHARS_MAX],
        )
        self.ports.sessions.open(session, secret_hash=self.hasher.digest(secret.reveal().encode()))
        return SignedIn(session=session, secret=secret)

    def _renew(self, person: Person, password: str) -> None:
        if self.ports.passwords.is_outdated(person.password_hash):
            self.ports.people.set_password(person.person_id, self.ports.passwords.make(password))

    def _take(self, buckets: Sequence[bytes], maxima: Sequence[int] = _BOTH_MAX) -> None:
        """Count it as failed before it is looked at."""
        now_us = self.clock.now_us()
        taken: list[bytes] = []
        for bucket, most in zip(buckets, maxima, strict=False):
            if not self.ports.failures.take(bucket, most=most, now_us=now_us, since_us=now_us - WINDOW_US):
                self._give_back(taken)
                raise TooManyFailures("too many failed attempts: try again in a quarter of an hour")
            taken.append(bucket)

    def _give_back(self, buckets: Sequence[bytes]) -> None:
        for bucket in buckets:
            self.ports.failures.give_back(bucket)

    def _of_address(self, visitor: Visitor) -> bytes:
        return self._bucket(b"address", visitor.address.encode())

    def _bucket(self, kind: bytes, value: bytes) -> bytes:
        return self.hasher.digest(b"sign-in failures\0" + kind + b"\0" + value)


def browser_hash(hasher: SecretHasher, browser: str) -> bytes:
    """What is kept of the number that a browser holds."""
    return hasher.digest(b"browser\0" + browser.encode())


def recovery_hash(hasher: SecretHasher, person_id: UUID, code: str) -> bytes:
    """What is kept of a recovery code."""
    return hasher.digest(b"recovery code\0" + person_id.bytes + code.encode())
