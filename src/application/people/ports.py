"""Ports to what proves who somebody is: passwords, one-time codes, sessions, failed attempts, mailed links. All of it beside the log.

Every method blocks, is safe to use from threads, and raises `VaultUnavailable` when the database is away.
"""

from collections.abc import Sequence
from typing import Literal, Protocol
from uuid import UUID

import msgspec

Stage = Literal["password", "full"]
Theme = Literal["light", "dark"]
Purpose = Literal["sign-up", "reset", "confirm", "address", "take-back"]
Meeting = Literal["known", "first", "new"]  #: a browser: seen before, the first of all, or one more


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has a password. `None` of a preference leaves it to the browser."""

    person_id: UUID
    password_hash: str
    has_totp: bool
    locale: str | None
    zone: str | None
    theme: Theme | None
    confirmed_us: int | None = None  #: when a link that was mailed to their address was followed
    notices_seen_us: int = 0

    def __repr__(self) -> str:
        return f"Person({self.person_id})"


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has beside a password."""

    has_totp: bool = False
    passkeys: int = 0


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that is signed in. `id` may be shown; what the browser holds is another secret."""

    session_id: UUID
    person_id: UUID
    stage: Stage
    made_us: int
    seen_us: int
    expires_us: int
    address: str
    agent: str


class People(Protocol):
    """Who may sign in."""

    def by_email(self, email_hash: bytes) -> Person | None: ...

    def get(self, person_id: UUID) -> Person | None: ...

    def put(self, person_id: UUID, *, email_hash: bytes, password_hash: str) -> None:
        """A new person, or another address and password for one that is known; one-time codes stay as they are.

        Raises:
            AlreadyExists: the address is another person's; nothing was stored.
        """
        ...

    def set_password(self, person_id: UUID, password_hash: str) -> None: ...

    def confirm(self, person_id: UUID, *, email_hash: bytes, now_us: int) -> bool:
        """Note that the address is theirs; false if it is not the one that they have now."""
        ...

    def move(self, person_id: UUID, *, email_hash: bytes, now_us: int) -> bytes | None:
        """Give them another address, which they have proved to be theirs. Returns the hash of the one before, if that was confirmed.

        Raises:
            AlreadyExists: the address is another person's; nothing was stored.
        """
        ...

    def set_preferences(
        self, person_id: UUID, *, locale: str | None, zone: str | None, theme: Theme | None
    ) -> None: ...

    def delete(self, person_id: UUID) -> None:
        """With sessions, codes and links; doing it again does nothing."""
        ...

    def factors(self, person_ids: Sequence[UUID]) -> dict[UUID, Factors]:
        """Of those who have a password."""
        ...

    def set_notices_seen(self, person_id: UUID, now_us: int) -> None: ...

    def totp_seed(self, person_id: UUID) -> str | None:
        """The seed of their one-time codes; none without a second factor. For checking only: it is shown to nobody."""
        ...

    def set_totp(
        self, person_id: UUID, seed: str | None, *, step: int = 0, recovery_hashes: Sequence[bytes] = ()
    ) -> None:
        """Take a second factor, or end it; earlier recovery codes are gone."""
        ...

    def set_recovery_codes(self, person_id: UUID, hashes: Sequence[bytes]) -> None:
        """Other ones in the place of those that there are."""
        ...

    def recovery_codes_left(self, person_id: UUID) -> int: ...

    def use_step(self, person_id: UUID, step: int) -> bool:
        """Note that the code of a time step was used; false if it, or a later one, was before."""
        ...

    def use_recovery_code(self, person_id: UUID, code_hash: bytes) -> bool:
        """Use up a recovery code; false if it is none."""
        ...


class Sessions(Protocol):
    """Who is signed in, and where."""

    def open(self, session: Session, *, secret_hash: bytes) -> None: ...

    def find(self, secret_hash: bytes, *, now_us: int) -> Session | None:
        """The session, if it is alive; that it was seen is noted now and then."""
        ...

    def of(self, person_id: UUID, *, now_us: int) -> list[Session]:
        """Those alive, the one seen last first."""
        ...

    def close(self, session_id: UUID, *, person_id: UUID) -> None:
        """End it at once; another person's stays."""
        ...

    def close_all(self, person_id: UUID, *, but: UUID | None = None) -> None: ...


class Failures(Protocol):
    """Failed attempts by bucket (a keyed hash), in windows. Each is counted before it is looked at, and given back if it was none:
    of many at the same moment no more are looked at than of as many in a row.
    """

    def take(self, bucket: bytes, *, most: int, now_us: int, since_us: int) -> bool:
        """Count one more; false, and nothing counted, if there are `most`. A window that began before `since_us` starts anew."""
        ...

    def give_back(self, bucket: bytes) -> None:
        """One that was taken was no failure."""
        ...

    def forget(self, bucket: bytes) -> None: ...


class Browsers(Protocol):
    """In which browsers somebody has signed in, by the keyed hash of what each holds."""

    def meet(self, person_id: UUID, browser_hash: bytes, *, now_us: int) -> Meeting:
        """Note a sign-in; of several at once in a new browser one is told so."""
        ...

    def knows(self, person_id: UUID, browser_hash: bytes) -> bool:
        """Whether it was met with this person before."""
        ...


class MailedLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was mailed. `person_id`: whose it is; none while there is nobody yet."""

    purpose: Purpose
    email: str
    email_hash: bytes
    person_id: UUID | None
    expires_us: int

    def __repr__(self) -> str:
        return f"MailedLink({self.purpose})"


class LinkKeys(msgspec.Struct, frozen=True):
    """What a link's secret gives: by which it is found, and what opens the address that is kept with it."""

    hash: bytes
    seal: bytes

    def __repr__(self) -> str:
        return "LinkKeys(***)"


class MailedLinks(Protocol):
    """Links that work once and for a short time. Of one purpose a person has one to an address: a newer one replaces it."""

    def put(self, keys: LinkKeys, link: MailedLink, *, now_us: int) -> None: ...

    def find(self, keys: LinkKeys, purpose: Purpose, *, now_us: int) -> MailedLink | None: ...

    def use(self, keys: LinkKeys, purpose: Purpose, *, now_us: int) -> MailedLink | None:
        """Use it up; of several at once one gets it."""
        ...

    def drop(self, person_id: UUID, purposes: Sequence[Purpose], *, from_us: int = 0) -> None:
        """End those of a person that would end by themselves at `from_us` or later."""
        ...


class Passwords(Protocol):
    """Hashes of passwords. Slow and large by design: never on an event loop."""

    def make(self, password: str) -> str: ...

    def check(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the one. Without a hash false, after as much work as with one."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Made with weaker parameters than those in use."""
        ...


class OneTimeCodes(Protocol):
    """Time-based one-time codes (RFC 6238)."""

    def new_seed(self) -> str: ...

    def step_of(self, seed: str, code: str, *, now_us: int) -> int | None:
        """The time step whose code this is, now or one step beside it; none if it is none of these."""
        ...

    def uri(self, seed: str, *, name: str, issuer: str) -> str:
        """What an authenticator reads."""
        ...


class PeoplePorts(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    people: People
    sessions: Sessions
    failures: Failures
    passwords: Passwords
    codes: OneTimeCodes
    links: MailedLinks
    browsers: Browsers
