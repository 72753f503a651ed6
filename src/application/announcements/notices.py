"""What somebody is told now: the announcements for them, each in their language."""

from uuid import UUID

import msgspec

from domain.announcements import Announcements, Severity


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement as one reader sees it. The body is plain text, with line ends."""

    announcement_id: UUID
    severity: Severity
    title: str
    body: str
    language: str  #: of the words: English where nobody has translated them
    from_us: int
    until_us: int | None


def notices(
    announcements: Announcements, *, account_id: UUID | None, language: str, now_us: int
) -> tuple[Notice, ...]:
    """Those for a member of an account, or without one for whoever is not signed in; the most severe first."""
    found = []
    for one in announcements.shown_to(account_id, now_us=now_us):
        written, words = one.words(language)
        found.append(
            Notice(
                announcement_id=one.announcement_id,
                severity=one.severity,
                title=words.title,
                body=words.body,
                language=written,
                from_us=one.from_us,
                until_us=one.until_us,
            )
        )
    return tuple(found)
