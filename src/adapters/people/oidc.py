"""An identity provider over HTTP: implements `application.people.oidc.IdentityProvider`.

Addresses come from its discovery document, keys from its key set; both are read when they are first needed, and the keys again when
a token names one that is not among them. The address of the provider is the operator's own setting.
"""

import threading
import time
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import jwt

from application.people.oidc import Attempt, Identity, IdentityRefused

_TIMEOUT_S: Final = 10.0
_KEYS_AGAIN_S: Final = 30.0
_LEEWAY_S: Final = 60
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_BYTES_MAX: Final = 1024 * 1024
_SUBJECT_CHARS_MAX: Final = 255
_DISCOVERY: Final = "/.well-known/openid-configuration"
_WANTED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OidcProvider:
    """One provider, for the authorization code flow with PKCE. `redirect_uri` must be known to it."""

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: str, redirect_uri: str, name: str
    ) -> None:
        self.name = name
        self._issuer, self._client_id, self._secret = issuer, client_id, client_secret
        self._redirect_uri = redirect_uri
        self._client = httpx.Client(timeout=_TIMEOUT_S, trust_env=False, follow_redirects=False)
        self._lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at_s = -_KEYS_AGAIN_S

    def authorization_url(self, attempt: Attempt) -> str:
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        address = self._address("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def identify(self, code: str, attempt: Attempt) -> Identity:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
        }
        answer = self._ask("POST", self._address("token_endpoint"), data=form)
        claims = self._claims(str(answer.get("id_token", "")))
        if claims.get("nonce") != attempt.nonce:
            raise IdentityRefused("the token is of another attempt")
        subject = str(claims["sub"])
        if not 1 <= len(subject) <= _SUBJECT_CHARS_MAX:
            raise IdentityRefused("the subject cannot be used")
        is_verified = claims.get("email_verified") is True
        return Identity(
            issuer=self._issuer,
            subject=subject,
            email=str(claims.get("email", "")) if is_verified else "",
        )

    def close(self) -> None:
        self._client.close()

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=list(_ALGORITHMS),
                audience=self._client_id,
                issuer=self._issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise IdentityRefused(f"the token does not hold: {type(error).__name__}") from None
        if claims.get("azp", self._client_id) != self._client_id:
            raise IdentityRefused("the token is for another client")
        return claims

    def _key(self, kid: str) -> jwt.PyJWK:
        with self._lock:
            if not self._find(kid) and time.monotonic() - self._keys_at_s >= _KEYS_AGAIN_S:
                found = self._ask("GET", self._address("jwks_uri"))
                self._keys = {str(one.key_id or ""): one for one in jwt.PyJWKSet.from_dict(found).keys}
                self._keys_at_s = time.monotonic()
            key = self._find(kid)
        if key is None:
            raise IdentityRefused("a key that the provider does not name")
        return key

    def _find(self, kid: str) -> jwt.PyJWK | None:
        """By its name; a token without one means the only key that there is."""
        if not kid and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _address(self, name: str) -> str:
        if not self._addresses:
            found = self._ask("GET", self._issuer.rstrip("/") + _DISCOVERY)
            if found.get("issuer") != self._issuer:
                raise IdentityRefused("the provider calls itself something else")
            self._addresses = {one: str(found.get(one, "")) for one in _WANTED}
        if not self._addresses[name]:
            raise IdentityRefused(f"the provider names no {name}")
        return self._addresses[name]

    def _ask(self, method: str, url: str, *, data: dict[str, str] | None = None) -> dict[str, Any]:
        auth = None if data is None else (self._client_id, self._secret)
        try:
            answer = self._client.request(
                method, url, data=data, auth=auth, headers={"accept": "application/json"}
            )
            if not answer.is_success or len(answer.content) > _BYTES_MAX:
                raise IdentityRefused(f"the provider answered {answer.status_code}")
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            # `from None`: the request may hold the client's secret.
            raise IdentityRefused(f"the provider cannot be asked: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise IdentityRefused("the provider's answer cannot be read")
        return found
