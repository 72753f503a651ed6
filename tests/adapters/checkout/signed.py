"""Messages as Stripe sends them, signed by ourselves for what no counterpart can be made to send."""

import hmac
import json
from hashlib import sha256
from typing import Any

SECRET = "whsec_0123456789abcdef0123"
OTHER = "whsec_ffffffffffffffffffff"
NOW_S = 1_764_000_000


def event(**changes: Any) -> dict[str, Any]:
    """A message about a session, but for `changes`."""
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-06-24",
        "type": "checkout.session.completed",
        "created": NOW_S,
        "livemode": False,
        "data": {"object": {"id": "cs_1", "object": "checkout.session"}},
    } | changes


def body(**changes: Any) -> bytes:
    return json.dumps(event(**changes)).encode()


def digest(raw: bytes, *, secret: str = SECRET, at_s: int | str = NOW_S) -> str:
    return hmac.new(secret.encode(), f"{at_s}.".encode() + raw, sha256).hexdigest()


def header(raw: bytes, *, secret: str = SECRET, at_s: int | str = NOW_S) -> str:
    """What Stripe puts into `Stripe-Signature`."""
    return f"t={at_s},v1={digest(raw, secret=secret, at_s=at_s)}"


def headers(raw: bytes, *, secret: str = SECRET, at_s: int | str = NOW_S) -> list[tuple[str, str]]:
    return [("stripe-signature", header(raw, secret=secret, at_s=at_s))]


#: Bytes that are signed by the right secret and still are no message.
NO_MESSAGES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "cut": body()[:-5],
    "no UTF-8": body().replace(b"evt_1", b"evt_\xff"),
    "null": b"null",
    "a list": b"[]",
    "a number": b"17",
    "nested": b"[" * 100_000,
    "no id": json.dumps({name: value for name, value in event().items() if name != "id"}).encode(),
    "id is a number": body(id=5),
    "id is empty": body(id=""),
    "id is a path": body(id="../../v1/refunds"),
    "id is long": body(id="e" * 256),
    "id is not ASCII": body(id="evt_ü"),
    "kind is a path": body(type="a/b"),
    "kind is a number": body(type=1),
    "created is text": body(created="now"),
    "created is a fraction": body(created=1.5),
    "created is negative": body(created=-1),
    "created is absurd": body(created=2**63),
    "livemode is text": body(livemode="false"),
    "livemode is missing": json.dumps(
        {name: value for name, value in event().items() if name != "livemode"}
    ).encode(),
    "data is null": body(data=None),
    "data is a list": body(data=[]),
    "object is text": body(data={"object": "cs_1"}),
    "object's id is a number": body(data={"object": {"id": 1}}),
    "object's id is a path": body(data={"object": {"id": "../charges/ch_1"}}),
    "object's id is a query": body(data={"object": {"id": "cs_1?expand[]=x"}}),
}

_RAW = body()
_TRUE = digest(_RAW)
#: What a forger may write into the header: none of it is a signature of these bytes.
FORGED: dict[str, list[tuple[str, str]]] = {
    "no header": [],
    "empty": [("stripe-signature", "")],
    "words": [("stripe-signature", "let me in")],
    "no digest": [("stripe-signature", f"t={NOW_S}")],
    "no time": [("stripe-signature", f"v1={_TRUE}")],
    "time is text": [("stripe-signature", f"t=now,v1={_TRUE}")],
    "time is empty": [("stripe-signature", f"t=,v1={_TRUE}")],
    "time is negative": [("stripe-signature", f"t=-{NOW_S},v1={_TRUE}")],
    "time is a fraction": [("stripe-signature", f"t={NOW_S}.0,v1={_TRUE}")],
    "time is huge": [("stripe-signature", f"t={'9' * 400},v1={_TRUE}")],
    "time in other digits": [("stripe-signature", f"t={chr(0x661) * 10},v1={_TRUE}")],
    "two times": [("stripe-signature", f"t={NOW_S},t={NOW_S},v1={_TRUE}")],
    "time of another": [("stripe-signature", f"t={NOW_S + 1},v1={_TRUE}")],
    "scheme v0": [("stripe-signature", f"t={NOW_S},v0={_TRUE}")],
    "scheme v2": [("stripe-signature", f"t={NOW_S},v2={_TRUE}")],
    "scheme in capitals": [("stripe-signature", f"t={NOW_S},V1={_TRUE}")],
    "digest in capitals": [("stripe-signature", f"t={NOW_S},v1={_TRUE.upper()}")],
    "digest cut": [("stripe-signature", f"t={NOW_S},v1={_TRUE[:-1]}")],
    "digest longer": [("stripe-signature", f"t={NOW_S},v1={_TRUE}0")],
    "digest padded": [("stripe-signature", f"t={NOW_S},v1= {_TRUE}")],
    "digest empty": [("stripe-signature", f"t={NOW_S},v1=")],
    "digest of zeros": [("stripe-signature", f"t={NOW_S},v1={'0' * 64}")],
    "digest not ASCII": [("stripe-signature", f"t={NOW_S},v1={'ü' * 64}")],
    "one character off": [("stripe-signature", f"t={NOW_S},v1={'0' if _TRUE[0] != '0' else '1'}{_TRUE[1:]}")],
    "secret of another": [("stripe-signature", header(_RAW, secret=OTHER))],
    "secret empty": [("stripe-signature", header(_RAW, secret=""))],
    "secret None": [("stripe-signature", header(_RAW, secret="None"))],
    "secret null": [("stripe-signature", header(_RAW, secret="null"))],
    "without the prefix": [("stripe-signature", header(_RAW, secret=SECRET.removeprefix("whsec_")))],
    "of the body alone": [
        ("stripe-signature", f"t={NOW_S},v1={hmac.new(SECRET.encode(), _RAW, sha256).hexdigest()}")
    ],
    "a plain digest": [
        ("stripe-signature", f"t={NOW_S},v1={sha256(f'{NOW_S}.'.encode() + _RAW).hexdigest()}")
    ],
    "of another body": [("stripe-signature", header(body(id="evt_2")))],
    "stale": [("stripe-signature", header(_RAW, at_s=NOW_S - 301))],
    "from the future": [("stripe-signature", header(_RAW, at_s=NOW_S + 301))],
    "of 1970": [("stripe-signature", header(_RAW, at_s=0))],
    "header twice": [("stripe-signature", header(_RAW)), ("stripe-signature", header(_RAW))],
    "header twice, one false": [("stripe-signature", header(_RAW)), ("stripe-signature", "t=1,v1=0")],
    "header too long": [("stripe-signature", header(_RAW) + ",v0=" + "0" * 5_000)],
    "another header's name": [("x-stripe-signature", header(_RAW))],
    "another provider's": [("paddle-signature", f"ts={NOW_S};h1={_TRUE}")],
    "separated by semicolons": [("stripe-signature", header(_RAW).replace(",", ";"))],
    "json": [("stripe-signature", json.dumps({"t": NOW_S, "v1": _TRUE}))],
}
