"""Mails as files in a folder, for installations without a mail server: any mail program opens them.

A file is named by its mail and written whole or not at all, so writing one twice is writing it once.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from application.mail.transport import Envelope, MailNotOurs, MailUnavailable

_MODE: Final = 0o600  # they hold links that let somebody in
_FOLDER_MODE: Final = 0o700
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class FolderTransport:
    """See `application.mail.transport.Transport`. The folder is made when the first mail comes."""

    repeats_safely: Final = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hand_over(self, envelope: Envelope, *, commit: Callable[[], bool]) -> None:
        place = self._folder / envelope.name
        half = place.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            with os.fdopen(os.open(half, _FLAGS, _MODE), "wb") as file:
                file.write(envelope.message)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MailUnavailable(f"MAIL_DIR: {error.strerror}") from None
        if not commit():
            half.unlink(missing_ok=True)
            raise MailNotOurs("another worker holds the mail")
        try:
            half.replace(place)
        except OSError as error:
            raise MailUnavailable(f"MAIL_DIR: {error.strerror}") from None
