"""Links that go out by mail: who asked for one is told the same whether there is such an address or not.

Asking is counted by address and by network address, in the windows of failed sign-ins.
"""

from typing import Final, cast
from uuid import UUID

import msgspec

from application.clock import Clock, Ids
from application.i18n.locales import Locale
from application.mail.letters import (
    AddressChanged,
    AddressTaken,
    AlreadyRegistered,
    AnyLetter,
    ConfirmAddress,
    FactorChange,
    NewSignIn,
    PasskeyAdded,
    PasskeyRemoved,
    PasswordChanged,
    ResetPassword,
    SecondFactorChanged,
    VerifyEmail,
)
from application.mail.outbox import Mail, Outbox
from application.mail.send import send
from application.people.email import email_hash
from application.people.ports import LinkKeys, MailedLink, PeoplePorts, Person, Purpose, Session
from application.people.sign_in import WINDOW_US, TooManyFailures, Visitor
from domain.invitations import BadInvitation
from domain.keys.secret import SecretHasher

ASKED_OF_ADDRESS_MAX: Final = 3
ASKED_BY_VISITOR_MAX: Final = 20
TOLD_OF_SIGN_INS_MAX: Final = 5
"""Mails in a quarter of an hour to one address, and on the wish of one network address."""
VALID_US: Final[dict[Purpose, int]] = {
    "sign-up": 24 * 3600 * 1_000_000,
    "reset": 30 * 60 * 1_000_000,
    "confirm": 24 * 3600 * 1_000_000,
    "address": 24 * 3600 * 1_000_000,
    "take-back": 72 * 3600 * 1_000_000,
}
_PATHS: Final[dict[Purpose, str]] = {
    "sign-up": "/sign-up",
    "reset": "/reset",
    "confirm": "/confirm",
    "address": "/me/address",
    "take-back": "/take-back",
}
_LETTERS: Final[dict[Purpose, type[ResetPassword | VerifyEmail | ConfirmAddress]]] = {
    "sign-up": VerifyEmail,
    "reset": ResetPassword,
    "confirm": VerifyEmail,
    "address": ConfirmAddress,
}
_MINUTE_US: Final = 60 * 1_000_000
_SECRET_BYTES: Final = 32
_SECRET_CHARS_MAX: Final = 200


class Mailed(msgspec.Struct, frozen=True, kw_only=True):
    """Makes, finds and uses up such links. `url` is the console's address as it was configured, never what a browser says."""

    people: PeoplePorts
    outbox: Outbox
    hasher: SecretHasher
    clock: Clock
    ids: Ids
    url: str

    def count_visitor(self, visitor: Visitor) -> None:
        """One more wish of a network address.

        Raises:
            TooManyFailures: too many in a short time; nothing will be sent.
        """
        bucket = self._bucket(b"visitor", visitor.address.encode())
        if not self._take(bucket, most=ASKED_BY_VISITOR_MAX):
            raise TooManyFailures("too many wishes: try again in a quarter of an hour")

    def may_write_to(self, address_hash: bytes) -> bool:
        """Whether the address has not had enough mails for now; this one is counted."""
        return self._take(self._bucket(b"address", address_hash), most=ASKED_OF_ADDRESS_MAX)

    def _take(self, bucket: bytes, *, most: int) -> bool:
        now_us = self.clock.now_us()
        return self.people.failures.take(bucket, most=most, now_us=now_us, since_us=now_us - WINDOW_US)

    def send_link(self, purpose: Purpose, email: str, *, person_id: UUID | None, language: str) -> None:
        """A new link; an earlier one of the same purpose opens nothing any more."""
        url, link = self._new_link(purpose, email, person_id)
        letter = _LETTERS[purpose](link=url, valid_minutes=VALID_US[purpose] // _MINUTE_US)
        # Of somebody who is nobody yet the address itself is the subject.
        subject_id = person_id or UUID(bytes=link.email_hash[:16])
        self._send(letter, to=email, subject_id=subject_id, language=language, expires_us=link.expires_us)

    def send_way_back(self, email: str, person: Person, *, language: str) -> None:
        """To the address that somebody had until now, in case that it was not them."""
        url, link = self._new_link("take-back", email, person.person_id)
        letter = AddressChanged(
            at_us=self.clock.now_us(),
            zone=person.zone or "UTC",
            link=url,
            valid_minutes=VALID_US["take-back"] // _MINUTE_US,
        )
        language = person.locale or language
        self._send(
            letter, to=email, subject_id=person.person_id, language=language, expires_us=link.expires_us
        )

    def _new_link(self, purpose: Purpose, email: str, person_id: UUID | None) -> tuple[str, MailedLink]:
        """Its address, and what is kept of it."""
        secret, now_us = self.ids.entropy(_SECRET_BYTES).hex(), self.clock.now_us()
        link = MailedLink(
            purpose=purpose,
            email=email,
            email_hash=email_hash(self.hasher, email),
            person_id=person_id,
            expires_us=now_us + VALID_US[purpose],
        )
        self.people.links.put(self._keys(secret), link, now_us=now_us)
        return f"{self.url}{_PATHS[purpose]}/{secret}", link

    def tell_known(self, email: str, person: Person, *, language: str) -> None:
        """Somebody asked for an account with an address that has one."""
        letter = AlreadyRegistered(sign_in_link=f"{self.url}/sign-in", reset_link=f"{self.url}/forgot")
        self._send(letter, to=email, subject_id=person.person_id, language=person.locale or language)

    def tell_taken(self, email: str, person: Person, *, language: str) -> None:
        """Somebody else wants to sign in with an address that has an account."""
        letter = AddressTaken(sign_in_link=f"{self.url}/sign-in")
        self._send(letter, to=email, subject_id=person.person_id, language=person.locale or language)

    def tell_changed(self, email: str, person: Person, *, language: str) -> None:
        """The password is another one."""
        letter = PasswordChanged(
            at_us=self.clock.now_us(), zone=person.zone or "UTC", reset_link=f"{self.url}/forgot"
        )
        self._tell(letter, email, person, language=language)

    def tell_passkey(self, email: str, person: Person, *, is_added: bool, language: str) -> None:
        """There is a passkey more, or less."""
        kind = PasskeyAdded if is_added else PasskeyRemoved
        letter = kind(
            at_us=self.clock.now_us(), zone=person.zone or "UTC", passkeys_link=f"{self.url}/me#passkeys"
        )
        self._tell(letter, email, person, language=language)

    def tell_second_factor(self, email: str, person: Person, change: FactorChange, *, language: str) -> None:
        """Codes are asked for from now on, or no more, or the recovery codes are others."""
        letter = SecondFactorChanged(
            change=change,
            at_us=self.clock.now_us(),
            zone=person.zone or "UTC",
            reset_link=f"{self.url}/forgot",
        )
        self._tell(letter, email, person, language=language)

    def _tell(self, letter: AnyLetter, email: str, person: Person, *, language: str) -> None:
        """For whoever did not do it. Nothing goes to an address that nobody has confirmed."""
        if person.confirmed_us is None or not email:
            return
        self._send(letter, to=email, subject_id=person.person_id, language=person.locale or language)

    def tell_signed_in(self, email: str, person: Person, session: Session, *, language: str) -> None:
        """Somebody has signed in where they never did before. Nothing goes to an address that nobody has confirmed, nor too much."""
        bucket = self._bucket(b"sign-ins", session.person_id.bytes)
        if person.confirmed_us is None or not email:
            return
        if not self._take(bucket, most=TOLD_OF_SIGN_INS_MAX):
            return
        letter = NewSignIn(
            at_us=session.made_us,
            zone=person.zone or "UTC",
            address=session.address,
            agent=session.agent,
            sessions_link=f"{self.url}/me",
        )
        self._send(letter, to=email, subject_id=person.person_id, language=person.locale or language)

    def _send(
        self, letter: AnyLetter, *, to: str, subject_id: UUID, language: str, expires_us: int | None = None
    ) -> None:
        mail = Mail(
            mail_id=self.ids.new(),
            subject_id=subject_id,
            to=to,
            locale=cast("Locale", language),
            letter=letter,
            expires_us=expires_us,
        )
        send(mail, outbox=self.outbox, clock=self.clock)

    def find(self, purpose: Purpose, secret: str) -> MailedLink:
        """What a link is for; it can still be used.

        Raises:
            BadInvitation: unknown, used, replaced or too old: who follows it is not told which.
        """
        keys = self._keys(secret[:_SECRET_CHARS_MAX])
        return _existing(self.people.links.find(keys, purpose, now_us=self.clock.now_us()))

    def use(self, purpose: Purpose, secret: str) -> MailedLink:
        """Use it up; raises as `find`. Of several at once one gets it."""
        keys = self._keys(secret[:_SECRET_CHARS_MAX])
        return _existing(self.people.links.use(keys, purpose, now_us=self.clock.now_us()))

    def _keys(self, secret: str) -> LinkKeys:
        plain = secret.encode()
        return LinkKeys(
            self.hasher.digest(b"mailed link\0" + plain), self.hasher.digest(b"mailed address\0" + plain)
        )

    def _bucket(self, kind: bytes, value: bytes) -> bytes:
        return self.hasher.digest(b"mails asked for\0" + kind + b"\0" + value)


def _existing(link: MailedLink | None) -> MailedLink:
    if link is None:
        raise BadInvitation("this link opens nothing any more")
    return link
