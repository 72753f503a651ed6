"""Sends one message, and decides what follows from what came of it."""

import asyncio
import random
from typing import Final

import msgspec
import structlog

from application.clock import Clock
from application.eventlog import EventStore
from application.hooks.ports import Claims, Sender, Sent, Waiting
from application.hooks.stream import decide_endpoint
from application.vault import SecretMissing, SecretRef, Vault
from domain.fact import SYSTEM, Stamp
from domain.hooks import endpoint as rules
from domain.hooks.endpoint import Endpoint
from domain.hooks.retrying import GONE, has_arrived, wait_s
from domain.hooks.signing import headers_of
from domain.refusal import NotFound
from domain.secret import Secret

_NO_SECRET: Final = Sent(status=0, error="secret_missing", duration_ms=0)
_TYPE: Final = (b"content-type", b"application/json")
_AGENT: Final = (b"user-agent", b"Tokenok-Webhooks/1")

log = structlog.get_logger()


class DeliveryTools(msgspec.Struct, frozen=True, kw_only=True):
    """What delivering works with."""

    claims: Claims
    sender: Sender
    store: EventStore
    vault: Vault
    clock: Clock


async def deliver(waiting: Waiting, tools: DeliveryTools) -> None:
    """Send it and note what came of it. It may arrive twice if this process dies in between: its id is the same.

    Raises:
        VaultError, EventLogError: nothing was noted; it is sent again later.
    """
    sent = await _sent(waiting, tools)
    await asyncio.to_thread(_settle, waiting, sent, tools)


async def _sent(waiting: Waiting, tools: DeliveryTools) -> Sent:
    now_us = tools.clock.now_us()
    try:
        secrets = await asyncio.to_thread(_secrets, waiting.endpoint, tools.vault, now_us)
    except SecretMissing:  # the endpoint was removed meanwhile
        return _NO_SECRET
    signed = headers_of(waiting.message_id, waiting.body, secrets=secrets, at_s=now_us // 1_000_000)
    return await tools.sender.post(waiting.endpoint.url, [_TYPE, _AGENT, *signed], waiting.body)


def _secrets(endpoint: Endpoint, vault: Vault, now_us: int) -> list[Secret]:
    return [
        vault.open(
            SecretRef(
                provider_id=endpoint.account_id,
                credential_id=endpoint.endpoint_id,
                secret_version=version,
            )
        )
        for version in endpoint.secret_versions(now_us)
    ]


def _settle(waiting: Waiting, sent: Sent, tools: DeliveryTools) -> None:
    claims, endpoint_id = tools.claims, waiting.endpoint.endpoint_id
    if has_arrived(sent.status):
        claims.note(waiting, sent, wait_s=None, delivered=True)
        return
    wait = None
    if sent.status == GONE:
        _disable(waiting, "the endpoint answers 410 Gone", tools)
    else:
        wait = wait_s(waiting.tries, spread=random.random())  # noqa: S311  # spreads tries, no secret
    if wait is None and sent.status != GONE and claims.is_failing(endpoint_id, waiting.message_id):
        _disable(waiting, f"nothing has arrived in {waiting.tries} tries over three days", tools)
    claims.note(waiting, sent, wait_s=wait, delivered=False)


def _disable(waiting: Waiting, reason: str, tools: DeliveryTools) -> None:
    """Before the outcome is noted: whoever dies here does it again."""
    at = Stamp(now_us=tools.clock.now_us(), actor=SYSTEM.label)
    endpoint_id = waiting.endpoint.endpoint_id
    try:
        decide_endpoint(tools.store, endpoint_id, lambda now: rules.disable(now, reason=reason, stamp=at))
    except NotFound:
        return
    log.warning("endpoint_disabled", endpoint_id=str(endpoint_id), tries=waiting.tries)
