"""Tokens that do not hold, from a provider with real keys that says whatever a test wants."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.people.oidc import OidcProvider
from application.people.oidc import Attempt, IdentityRefused

OURS, FOREIGN = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
ATTEMPT = Attempt(state="s", nonce="n", verifier="v" * 43, target="/")
CLIENT = "console"


class Provider:
    """Answers with what is in it."""

    def __init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(provider.documents.get(self.path.rpartition("/")[2]))

            def do_POST(self) -> None:
                provider.posted.append(self.rfile.read(int(self.headers["content-length"])).decode())
                self._say({"id_token": provider.token})

            def _say(self, body: object) -> None:
                text = json.dumps(body).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.posted: list[str] = []
        self.token = ""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(OURS.public_key(), as_dict=True)
        self.documents: dict[str, Any] = {
            "openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/go?tenant=1",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            },
            "keys": {"keys": [key | {"kid": one, "alg": "RS256", "use": "sig"} for one in ("k1", "k0")]},
        }

    def says(self, *, key: Any = OURS, algorithm: str = "RS256", kid: str = "k1", **claims: Any) -> None:
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "u1",
            "iat": now,
            "exp": now + 300,
            "nonce": "n",
            "email": "a@b.example",
            "email_verified": True,
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        self.token = jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def oidc(provider: Provider) -> Iterator[OidcProvider]:
    made = OidcProvider(
        issuer=provider.issuer,
        client_id=CLIENT,
        client_secret="canary-secret",
        redirect_uri="https://console.test/back",
        name="SSO",
    )
    yield made
    made.close()


def test_a_token_that_holds_says_who_it_is(provider: Provider, oidc: OidcProvider) -> None:
    """Subject and verified address; the code goes out with what proves that we asked."""
    provider.says()
    identity = oidc.identify("code", ATTEMPT)
    assert (identity.issuer, identity.subject, identity.email) == (provider.issuer, "u1", "a@b.example")
    assert f"code_verifier={ATTEMPT.verifier}" in provider.posted[0]
    assert oidc.authorization_url(ATTEMPT).startswith(f"{provider.issuer}/go?tenant=1&response_type=code")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": 99_999_999_999},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"key": FOREIGN},
        {"kid": "k2"},
        {"kid": ""},
        {"key": "", "algorithm": "none"},
    ],
)
def test_a_token_that_does_not_hold_is_refused(
    provider: Provider, oidc: OidcProvider, claims: dict[str, Any]
) -> None:
    """Without a word of secrets."""
    provider.says(**claims)
    with pytest.raises(IdentityRefused) as told:
        oidc.identify("code", ATTEMPT)
    assert "canary" not in repr(told.value)


def test_a_public_key_is_no_shared_secret(provider: Provider, oidc: OidcProvider) -> None:
    """Signed by HMAC with what everybody can read: the algorithm is ours to choose, not the token's."""
    public = OURS.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    provider.says()
    payload = provider.token.split(".")[1]
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').decode().rstrip("=")
    mac = hmac.digest(public, f"{head}.{payload}".encode(), "sha256")
    provider.token = f"{head}.{payload}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    with pytest.raises(IdentityRefused):
        oidc.identify("code", ATTEMPT)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "null"])
def test_what_is_no_token_is_refused(provider: Provider, oidc: OidcProvider, token: str) -> None:
    """Whatever it is."""
    provider.token = token
    with pytest.raises(IdentityRefused):
        oidc.identify("code", ATTEMPT)


@pytest.mark.parametrize("document", [None, [], {"issuer": "https://evil.example"}, {}])
def test_a_provider_that_calls_itself_something_else_is_refused(
    provider: Provider, oidc: OidcProvider, document: object
) -> None:
    """Its document is the first thing that has to fit."""
    provider.documents["openid-configuration"] = document
    with pytest.raises(IdentityRefused):
        oidc.authorization_url(ATTEMPT)
