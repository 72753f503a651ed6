"""Reads what the console has put into the outbox, as whoever sends mails would."""

from application.command import Ports
from application.mail.outbox import Mail

_REST_US = 3_600 * 1_000_000


class Mailbox:
    """All mails so far, in their order."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._seen: list[Mail] = []

    @property
    def letters(self) -> list[Mail]:
        """Each is claimed once, and opened."""
        outbox, now_us = self._ports.outbox, self._ports.clock.now_us()
        while (claimed := outbox.claim(now_us=now_us, rest_us=_REST_US)) is not None:
            mail = outbox.open(claimed)
            assert mail is not None, "nobody was erased"
            self._seen.append(mail)
        return self._seen

    def links(self) -> list[str]:
        """That work once, one of each mail; empty for one without."""
        return [str(getattr(mail.letter, "link", "")) for mail in self.letters]

    def path(self) -> str:
        """Where the newest link leads, behind the console's address."""
        link = [one for one in self.links() if one][-1]
        return "/" + link.partition("://")[2].partition("/")[2]
