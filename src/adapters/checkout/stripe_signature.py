"""The signature of Stripe's messages: HMAC-SHA256 over `timestamp.body` with the endpoint's secret, in scheme `v1`.

Stripe's own library refuses old messages only; here one from the future is refused as well, and every header that could
be read in two ways.
"""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from application.checkout.ports import BadNotice, Headers

AGE_S_MAX: Final = 300
_HEADER: Final = "stripe-signature"
_CHARS_MAX: Final = 4096
_TIME: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def check_signature(raw: bytes, headers: Headers, *, secrets: Sequence[str], now_s: int) -> None:
    """Refuse whatever is not signed with one of the secrets (two while one is exchanged), at most five minutes ago or ahead.

    Raises:
        BadNotice: see there; never anything else.
    """
    given = [value for name, value in headers if name == _HEADER]
    if len(given) != 1 or len(given[0]) > _CHARS_MAX:
        raise BadNotice("one signature header is needed")
    parts = [part.partition("=") for part in given[0].split(",")]
    times = [value for name, _, value in parts if name == "t"]
    digests = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        raise BadNotice("the signature has no time, or two")
    if abs(now_s - int(times[0])) > AGE_S_MAX:
        raise BadNotice("the message is not of now")
    if not any(_is_right(raw, times[0], digest, secrets) for digest in digests if _DIGEST.fullmatch(digest)):
        raise BadNotice("the signature is wrong")


def _is_right(raw: bytes, time: str, digest: str, secrets: Sequence[str]) -> bool:
    signed = time.encode() + b"." + raw
    ours = [hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in secrets]
    # All are compared, so that the time it takes does not tell which one fits.
    return any([hmac.compare_digest(one, digest) for one in ours])  # noqa: C419  # see above
