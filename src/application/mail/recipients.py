"""Whom an account's mails are for: the contact that an operator has set, or else the members whom it concerns."""

from typing import Final, Protocol
from uuid import UUID

import msgspec

from application.accounts.contact import contact_of
from application.accounts.stream import load_account
from application.eventlog import EventStore
from application.i18n.locales import Locale, best_locale
from application.members.stream import load_members
from application.people.email import open_email
from application.privacy import PersonalData
from domain.members import MEMBER_PERMISSIONS, MemberPermission

RECIPIENTS_MAX: Final = 10


class Preferences(Protocol):
    """What people have chosen. Blocking; raises `VaultUnavailable` when the database is away."""

    def locale_of(self, person_id: UUID) -> str | None: ...


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to write to. `key` tells them apart: each gets one mail about a thing."""

    key: str
    subject_id: UUID
    address: str
    locale: Locale | None  #: none: what the thing itself is written in

    def __repr__(self) -> str:
        return f"Recipient({self.key})"


class Addressees(msgspec.Struct, frozen=True, kw_only=True):
    """Finds them. Blocking; raises `VaultError` and `LogUnavailable`."""

    store: EventStore
    personal: PersonalData
    preferences: Preferences

    def of_account(self, account_id: UUID, *, concerned: MemberPermission) -> list[Recipient]:
        """None for an account that nobody is known of, or that was erased."""
        contact = contact_of(self.personal, load_account(self.store, account_id))
        if contact is not None:
            return [Recipient(key="contact", subject_id=account_id, address=contact.email, locale=None)]
        members = load_members(self.store, account_id).members.values()
        able = [one for one in members if concerned in MEMBER_PERMISSIONS[one.role]]
        found = []
        for one in sorted(able, key=lambda member: (member.since_us, member.person_id))[:RECIPIENTS_MAX]:
            address = open_email(self.personal, one.person_id, one.pii)
            if address is not None:
                locale = self.preferences.locale_of(one.person_id)
                found.append(
                    Recipient(
                        key=str(one.person_id),
                        subject_id=one.person_id,
                        address=address,
                        locale=None if locale is None else best_locale(locale),
                    )
                )
        return found
