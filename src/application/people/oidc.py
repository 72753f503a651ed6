"""Signing in by a company's identity provider (OpenID Connect), for operators.

The provider says who somebody is; whether they are an operator, and which, the log says. An operator is found by their address the
first time, and by the provider's own subject from then on, so that an address that changes hands opens nothing.
"""

import base64
import hashlib
from typing import ClassVar, Final, Protocol
from uuid import UUID

import msgspec

from application.people.email import email_hash, is_exact
from application.people.ports import Person
from application.people.sign_in import SignedIn, SignIn, Visitor
from domain.operators import Staff
from domain.refusal import Refusal

_RANDOM_BYTES: Final = 32


class IdentityRefused(Refusal):
    """The provider did not say who this is, or it is nobody who may sign in here. It is not told which."""

    code: ClassVar[str] = "identity_refused"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the provider has let in. `email` is empty unless it has verified it."""

    issuer: str
    subject: str
    email: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What one browser has to bring back: it ties the provider's answer to whoever asked."""

    state: str
    nonce: str
    verifier: str
    target: str

    def __repr__(self) -> str:
        return "Attempt(***)"

    @property
    def challenge(self) -> str:
        """Of the verifier (RFC 7636, S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class IdentityProvider(Protocol):
    """One provider. Blocking.

    Raises (each method):
        IdentityRefused: it cannot be reached, or what it says does not hold.
    """

    name: str  #: on the button

    def authorization_url(self, attempt: Attempt) -> str: ...

    def identify(self, code: str, attempt: Attempt) -> Identity:
        """Exchange the code for an identity token, and check that."""
        ...

    def close(self) -> None: ...


class Identities(Protocol):
    """Whom a provider means by its subjects. Blocking; raises `VaultUnavailable`."""

    def person_of(self, issuer: str, subject: str) -> UUID | None: ...

    def bind(self, issuer: str, subject: str, person_id: UUID) -> bool:
        """Note whom it means; false if the person is meant by another subject already."""
        ...


class Company(msgspec.Struct, frozen=True):
    """The provider of this installation, and whom it means."""

    provider: IdentityProvider
    identities: Identities


def new_attempt(sign_in: SignIn, *, target: str) -> Attempt:
    """A beginning."""
    state, nonce, verifier = (sign_in.ids.entropy(_RANDOM_BYTES).hex() for _ in range(3))
    return Attempt(state=state, nonce=nonce, verifier=verifier, target=target)


def sign_in_as(
    identity: Identity, *, sign_in: SignIn, identities: Identities, staff: Staff, visitor: Visitor
) -> SignedIn:
    """A session for the operator; one that owes a code if they have a second factor of ours.

    Raises:
        IdentityRefused: it is no operator, a disabled one, or one whom the provider means by another subject.
    """
    person_id = identities.person_of(identity.issuer, identity.subject)
    person = sign_in.ports.people.get(person_id) if person_id else _by_email(identity, sign_in)
    operator = None if person is None else staff.operators.get(person.person_id)
    if person is None or operator is None or operator.disabled:
        raise IdentityRefused("nobody who may sign in here")
    if person_id is None and not identities.bind(identity.issuer, identity.subject, person.person_id):
        raise IdentityRefused("somebody else at the provider")
    return sign_in.open(person.person_id, visitor=visitor, owes_code=person.has_totp)


def _by_email(identity: Identity, sign_in: SignIn) -> Person | None:
    if not identity.email or not is_exact(identity.email):
        return None
    return sign_in.ports.people.by_email(email_hash(sign_in.hasher, identity.email))
