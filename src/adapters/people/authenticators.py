"""The protocol of passkeys: implements `application.people.passkeys.Authenticators` by the library of Duo Labs.

No attestation is asked for: which maker's authenticator it is tells nothing that we would decide by.
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from application.people.passkeys import NewCredential, Passkey, PasskeyRefused

ANSWER_CHARS_MAX: Final = 16 * 1024
_NAME: Final = "Tokenok"
_TIMEOUT_MS: Final = 5 * 60 * 1000
_VERIFIED: Final = UserVerificationRequirement.REQUIRED
# It names its holder by itself, so nobody types an address before.
_SELECTION: Final = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
)
_Value = TypeVar("_Value")


class WebAuthn:
    """For pages of `url`, which browsers must accept: see `authenticators_of`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname, "an address has a host"
        self._host = parts.hostname
        self._origin = f"{parts.scheme}://{parts.netloc}".lower()

    def options_to_make(self, challenge: bytes, *, person_id: UUID, name: str, known: Sequence[bytes]) -> str:
        options = generate_registration_options(
            rp_id=self._host,
            rp_name=_NAME,
            user_id=person_id.bytes,
            user_name=name,
            user_display_name=name,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            authenticator_selection=_SELECTION,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return options_to_json(options)

    def made(self, answer: str, challenge: bytes) -> NewCredential:
        made = _said_plainly(
            lambda: verify_registration_response(
                credential=_bounded(answer),
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        )
        return NewCredential(
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
        )

    def options_to_prove(self, challenge: bytes) -> str:
        options = generate_authentication_options(
            rp_id=self._host, challenge=challenge, timeout=_TIMEOUT_MS, user_verification=_VERIFIED
        )
        return options_to_json(options)

    def credential_of(self, answer: str) -> bytes:
        return _said_plainly(lambda: parse_authentication_credential_json(_bounded(answer)).raw_id)

    def prove(self, answer: str, challenge: bytes, passkey: Passkey) -> int:
        credential = _said_plainly(lambda: parse_authentication_credential_json(_bounded(answer)))
        if credential.response.user_handle not in {None, passkey.person_id.bytes}:
            raise PasskeyRefused("it names somebody else")
        proven = _said_plainly(
            lambda: verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        )
        return proven.new_sign_count


def authenticators_of(url: str) -> WebAuthn | None:
    """None where browsers have no passkeys: without an address, without HTTPS (but for `localhost`), or for a bare IP address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_safe = parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return WebAuthn(url) if host and is_safe and not _is_ip(host) else None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _bounded(answer: str) -> str:
    if len(answer) > ANSWER_CHARS_MAX:
        raise PasskeyRefused("far too long")
    return answer


def _said_plainly(check: Callable[[], _Value]) -> _Value:
    try:
        return check()
    except PasskeyRefused:
        raise
    except Exception as error:  # noqa: BLE001  # strangers' bytes go through three parsers with errors of their own
        raise PasskeyRefused(type(error).__name__) from None
