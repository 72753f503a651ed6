"""One-time codes by pyotp: six digits, half a minute, SHA-1, as every authenticator has them."""

import hmac
from typing import Final

import pyotp

_STEP_US: Final = 30 * 1_000_000
_DIGITS: Final = 6


class TotpCodes:
    """See `application.people.ports.OneTimeCodes`."""

    def new_seed(self) -> str:
        return pyotp.random_base32()

    def step_of(self, seed: str, code: str, *, now_us: int) -> int | None:
        if len(code) != _DIGITS or not (code.isascii() and code.isdigit()):
            return None
        now, generator = now_us // _STEP_US, pyotp.TOTP(seed)
        for step in (now, now - 1, now + 1):
            if hmac.compare_digest(generator.generate_otp(step), code):
                return step
        return None

    def uri(self, seed: str, *, name: str, issuer: str) -> str:
        return pyotp.TOTP(seed).provisioning_uri(name=name, issuer_name=issuer)
