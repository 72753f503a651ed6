"""Announcements: what operators tell their customers, in several languages and for a time.

All are in one stream, so that their number has a bound under its version. Words are never of a person: they are shown to many.
"""

import unicodedata
from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.refusal import BadField, NotFound, WrongState
from domain.text import printable

Severity = Literal["info", "warning", "critical"]
Audience = Literal["public", "customers", "accounts"]

ANNOUNCEMENTS_STREAM: Final = UUID("b0c1f6a4-8f0e-5f0b-9d3e-52a7c4e1d960")
FIRST_LANGUAGE: Final = "en"
"""What is not written in a reader's language is shown in this one, so it is never left out."""
ANNOUNCEMENTS_MAX: Final = 200
ACCOUNTS_MAX: Final = 1_000
BODY_CHARS_MAX: Final = 4_000
_RANK: Final[dict[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language's text. The title is one line; the body may have several, and is plain text."""

    title: str
    body: str = ""


class AnnouncementSet(Fact, frozen=True, kw_only=True):
    """The announcement reads so from now on; an earlier wording of it is shown no more."""

    TOPIC: ClassVar[str] = "announcement.set.v1"

    announcement_id: UUID
    severity: Severity
    texts: dict[str, Words]  #: by language; `en` is always there
    audience: Audience  #: `public`: also to whoever is not signed in
    account_ids: tuple[UUID, ...]  #: of the audience `accounts`
    from_us: int
    until_us: int | None


class AnnouncementWithdrawn(Fact, frozen=True, kw_only=True):
    """The announcement is shown to nobody any more."""

    TOPIC: ClassVar[str] = "announcement.withdrawn.v1"

    announcement_id: UUID


AnnouncementEvent = AnnouncementSet | AnnouncementWithdrawn
ANNOUNCEMENT_EVENTS: tuple[type[Fact], ...] = (AnnouncementSet, AnnouncementWithdrawn)


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be shown, to whom and when: from <= t < until, without end if there is no `until_us`."""

    announcement_id: UUID
    severity: Severity
    texts: dict[str, Words]
    audience: Audience
    account_ids: tuple[UUID, ...] = ()
    from_us: int
    until_us: int | None = None

    def is_live(self, now_us: int) -> bool:
        return self.from_us <= now_us and not self.is_over(now_us)

    def is_over(self, now_us: int) -> bool:
        return self.until_us is not None and self.until_us <= now_us

    def is_for(self, account_id: UUID | None) -> bool:
        """Whether a member of the account may see it; `None` is somebody who is not signed in."""
        if self.audience == "public":
            return True
        if account_id is None:
            return False
        return self.audience == "customers" or account_id in self.account_ids

    def words(self, language: str) -> tuple[str, Words]:
        """The words in a language, or else in the first, and which one it is."""
        chosen = language if language in self.texts else FIRST_LANGUAGE
        return chosen, self.texts[chosen]


class Announcements(msgspec.Struct, frozen=True):
    """The fold of the stream: those that were not withdrawn."""

    by_id: dict[UUID, Announcement] = {}

    def shown_to(self, account_id: UUID | None, *, now_us: int) -> tuple[Announcement, ...]:
        """Those to be shown now: the most severe first, of equals the newest."""
        live = [one for one in self.by_id.values() if one.is_live(now_us) and one.is_for(account_id)]
        return tuple(sorted(live, key=lambda one: (_RANK[one.severity], -one.from_us)))


def evolve(state: Announcements, event: AnnouncementEvent) -> Announcements:
    """The announcements after one more fact."""
    others = {key: one for key, one in state.by_id.items() if key != event.announcement_id}
    match event:
        case AnnouncementSet():
            changed = Announcement(
                announcement_id=event.announcement_id,
                severity=event.severity,
                texts=event.texts,
                audience=event.audience,
                account_ids=event.account_ids,
                from_us=event.from_us,
                until_us=event.until_us,
            )
            return Announcements({**others, event.announcement_id: changed})
        case AnnouncementWithdrawn():
            return Announcements(others)
        case _:
            assert_never(event)


def set_announcement(state: Announcements, wanted: Announcement, *, stamp: Stamp) -> list[AnnouncementEvent]:
    """Announce something, or word it anew; the same again does nothing.

    Raises:
        BadField: a text cannot be shown, English is missing, the audience is none, or it ends before it begins.
        WrongState: there are too many that are not over.
    """
    checked = _checked(wanted)
    if state.by_id.get(checked.announcement_id) == checked:
        return []
    open_now = [one for one in state.by_id.values() if not one.is_over(stamp.now_us)]
    if checked.announcement_id not in state.by_id and len(open_now) >= ANNOUNCEMENTS_MAX:
        raise WrongState("list of announcements", "full: withdraw some")
    return [
        AnnouncementSet(
            announcement_id=checked.announcement_id,
            severity=checked.severity,
            texts=checked.texts,
            audience=checked.audience,
            account_ids=checked.account_ids,
            from_us=checked.from_us,
            until_us=checked.until_us,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def withdraw(state: Announcements, announcement_id: UUID, *, stamp: Stamp) -> list[AnnouncementEvent]:
    """Show it to nobody any more.

    Raises:
        NotFound: there is none of this id, or not any more.
    """
    if announcement_id not in state.by_id:
        raise NotFound("announcement", announcement_id)
    return [
        AnnouncementWithdrawn(announcement_id=announcement_id, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def _checked(wanted: Announcement) -> Announcement:
    if FIRST_LANGUAGE not in wanted.texts:
        raise BadField("texts", "must have one in English, for readers of all other languages")
    if wanted.until_us is not None and wanted.until_us <= wanted.from_us:
        raise BadField("until_us", "must be after from_us")
    if (wanted.audience == "accounts") != bool(wanted.account_ids):
        raise BadField("account_ids", "go with the audience `accounts`, and only with it")
    if len(wanted.account_ids) > ACCOUNTS_MAX:
        raise BadField("account_ids", f"has more than {ACCOUNTS_MAX}")
    return msgspec.structs.replace(
        wanted,
        texts={language: _checked_words(words) for language, words in sorted(wanted.texts.items())},
        account_ids=tuple(sorted(set(wanted.account_ids))),
    )


def _checked_words(words: Words) -> Words:
    body = "\n".join(line.rstrip() for line in words.body.strip().splitlines())
    if len(body) > BODY_CHARS_MAX:
        raise BadField("texts", f"has a body longer than {BODY_CHARS_MAX} characters")
    if any(unicodedata.category(one)[0] == "C" for one in body if one != "\n"):
        raise BadField("texts", "has characters that cannot be shown")
    return Words(title=printable(words.title, field="texts"), body=body)
