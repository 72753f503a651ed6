"""What a password must be. Length is what counts; nothing is asked about kinds of characters (NIST SP 800-63B)."""

from typing import Final

from domain.refusal import BadField

PASSWORD_CHARS_MIN: Final = 12
PASSWORD_CHARS_MAX: Final = 256
_FEW_CHARACTERS: Final = 4


def checked_password(password: str, *, email: str = "") -> str:
    """The password.

    Raises:
        BadField: it is too short or too long, of hardly any different characters, or the mail address.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        raise BadField("password", f"has fewer than {PASSWORD_CHARS_MIN} characters")
    if len(password) > PASSWORD_CHARS_MAX:
        raise BadField("password", f"has more than {PASSWORD_CHARS_MAX} characters")
    if len(set(password)) < _FEW_CHARACTERS or (email and password.casefold() == email.casefold()):
        raise BadField("password", "is too easy to guess")
    return password
