"""Invitations to the console: a link that lets one person in, once, within a week. Only its hash is in the log."""

from typing import ClassVar, Final

import msgspec

from domain.refusal import Refusal

INVITATION_VALID_US: Final = 7 * 24 * 3600 * 1_000_000


class BadInvitation(Refusal):
    """Unknown, used, withdrawn or expired: who follows the link is not told which. Nothing changed."""

    code: ClassVar[str] = "bad_invitation"


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that has not been followed yet."""

    secret_hash: str  #: hex of the keyed hash of what the link holds
    expires_us: int

    def require(self, secret_hash: str, *, now_us: int) -> None:
        """Raises: BadInvitation: it is another's, or too late."""
        if secret_hash != self.secret_hash or now_us >= self.expires_us:
            raise BadInvitation("this link opens nothing any more")
