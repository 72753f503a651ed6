"""Signing in with a passkey (WebAuthn): a key pair that an authenticator uses only for our address and after it has verified its holder.

That is something one has, and something one is or knows: it stands for password and one-time code together. ADR 63.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, Protocol
from uuid import UUID

import msgspec

from application.people.ports import Person
from application.people.sign_in import SignedIn, SignIn, Visitor
from domain.refusal import AlreadyExists, Refusal
from domain.text import printable

PER_PERSON_MAX: Final = 20
NAME_CHARS_MAX: Final = 100
VALID_US: Final = 10 * 60 * 1_000_000
"""For so long a challenge can be answered."""
_CHALLENGE_BYTES: Final = 32


class PasskeyRefused(Refusal):
    """The answer does not hold, is too late or was given before, or it is nobody's passkey. It is not told which."""

    code: ClassVar[str] = "passkey_refused"


class TooManyPasskeys(Refusal):
    """A person has as many as one may have; nothing was added."""

    code: ClassVar[str] = "too_many_passkeys"


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """What we keep of one. `name` is its owner's word for it."""

    credential_id: bytes
    person_id: UUID
    public_key: bytes
    sign_count: int
    name: str
    made_us: int
    used_us: int | None = None

    def __repr__(self) -> str:
        return f"Passkey({self.person_id})"


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser has to have answered. `person_id`: who adds a passkey; none when somebody signs in with one."""

    value: bytes
    made_us: int
    person_id: UUID | None = None
    name: str = ""

    def __repr__(self) -> str:
        return "Challenge(***)"


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator has made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


class Authenticators(Protocol):
    """The protocol with browsers, for one address of ours. Texts are JSON as browsers give and take it.

    Raises (where an `answer` is taken):
        PasskeyRefused: it does not hold, or its holder was not verified.
    """

    def options_to_make(
        self, challenge: bytes, *, person_id: UUID, name: str, known: Sequence[bytes]
    ) -> str: ...

    def made(self, answer: str, challenge: bytes) -> NewCredential: ...

    def options_to_prove(self, challenge: bytes) -> str: ...

    def credential_of(self, answer: str) -> bytes:
        """Which credential it claims to be of; nothing has been checked."""
        ...

    def prove(self, answer: str, challenge: bytes, passkey: Passkey) -> int:
        """The authenticator's count of signatures, from an answer that holds."""
        ...


class Passkeys(Protocol):
    """Where they are kept. Blocking; raises `VaultUnavailable`."""

    def find(self, credential_id: bytes) -> Passkey | None: ...

    def of(self, person_id: UUID) -> list[Passkey]:
        """The oldest first."""
        ...

    def add(self, passkey: Passkey) -> None:
        """Raises: AlreadyExists."""
        ...

    def remove(self, credential_id: bytes, *, person_id: UUID) -> bool:
        """False if there is none. Another person's stays."""
        ...

    def use(self, passkey: Passkey, challenge: bytes, *, sign_count: int, now_us: int) -> bool:
        """Use up the challenge and note the count; false if it was answered before, the passkey is gone, or its count went back."""
        ...


class PasskeyPorts(msgspec.Struct, frozen=True):
    """What installations with an address that browsers accept have."""

    authenticators: Authenticators
    passkeys: Passkeys


def new_challenge(sign_in: SignIn, *, person_id: UUID | None = None, name: str = "") -> Challenge:
    """A beginning. `name` is checked here, before anybody touches an authenticator.

    Raises:
        BadField: `name`.
    """
    if person_id is not None:
        name = printable(name, field="name", chars_max=NAME_CHARS_MAX)
    value = sign_in.ids.entropy(_CHALLENGE_BYTES)
    return Challenge(value=value, made_us=sign_in.clock.now_us(), person_id=person_id, name=name)


def add_passkey(
    answer: str, challenge: Challenge | None, *, person: Person, sign_in: SignIn, ports: PasskeyPorts
) -> None:
    """Keep what the person's authenticator has made.

    Raises:
        PasskeyRefused, TooManyPasskeys: see there.
    """
    now_us = sign_in.clock.now_us()
    if challenge is None or challenge.person_id != person.person_id or _is_late(challenge, now_us):
        raise PasskeyRefused("an answer that nobody has asked for")
    made = ports.authenticators.made(answer, challenge.value)
    if len(ports.passkeys.of(person.person_id)) >= PER_PERSON_MAX:
        raise TooManyPasskeys(f"{PER_PERSON_MAX} passkeys are as many as one person may have")
    passkey = Passkey(
        credential_id=made.credential_id,
        person_id=person.person_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=challenge.name,
        made_us=now_us,
    )
    try:
        ports.passkeys.add(passkey)
    except AlreadyExists:
        raise PasskeyRefused("this passkey is known") from None


def sign_in_with_passkey(
    answer: str, challenge: Challenge | None, *, sign_in: SignIn, ports: PasskeyPorts, visitor: Visitor
) -> SignedIn:
    """A full session for whoever holds it.

    Raises:
        PasskeyRefused, TooManyFailures: see there.
    """
    sign_in.knock(visitor)
    passkey = _proven(answer, challenge, sign_in, ports)
    sign_in.pass_through(visitor)
    return sign_in.open(passkey.person_id, visitor=visitor)


def _proven(answer: str, challenge: Challenge | None, sign_in: SignIn, ports: PasskeyPorts) -> Passkey:
    now_us = sign_in.clock.now_us()
    if challenge is None or challenge.person_id is not None or _is_late(challenge, now_us):
        raise PasskeyRefused("an answer that nobody has asked for")
    passkey = ports.passkeys.find(ports.authenticators.credential_of(answer))
    if passkey is None:
        raise PasskeyRefused("nobody's passkey")
    count = ports.authenticators.prove(answer, challenge.value, passkey)
    if not ports.passkeys.use(passkey, challenge.value, sign_count=count, now_us=now_us):
        raise PasskeyRefused("an answer that was given before")
    return passkey


def _is_late(challenge: Challenge, now_us: int) -> bool:
    return not 0 <= now_us - challenge.made_us <= VALID_US
