"""What the worker tells customers: the thread that sends messages to their endpoints, with connections of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from adapters.hooks.sending import HookSending
from adapters.vault.master_keys import parse_master_keys
from adapters.vault.postgres import PostgresVault
from application.clock import SystemClock
from bootstrap import open_pool, open_store
from domain.catalogue.addresses import Allowlist
from settings import Settings

_NAME: Final = "tokenok-hooks"  # of its database connections
_CONNECTIONS_MAX: Final = 4

log = structlog.get_logger()


@contextmanager
def telling(settings: Settings) -> Iterator[None]:
    """Tell customers while the block runs; then let what is under way end. Nothing can be signed without the master key.

    Raises:
        BadMasterKey: it is malformed.
        BadField: `ALLOW_PRIVATE_WEBHOOKS` cannot be used.
    """
    if not settings.tokenok_master_key:
        log.warning("hooks_off", reason="no master key")
        yield
        return
    stop = threading.Event()
    with (
        open_pool(settings, size_max=_CONNECTIONS_MAX) as pool,
        open_store(settings, application_name=_NAME, connections_max=_CONNECTIONS_MAX) as store,
    ):
        sending = HookSending(
            pool=pool,
            store=store,
            vault=PostgresVault(pool, parse_master_keys(settings.tokenok_master_key)),
            clock=SystemClock(),
            allowlist=Allowlist.parse(settings.allow_private_webhooks),
            stop=stop,
        )
        sending.start()
        try:
            yield
        finally:
            stop.set()
            sending.join()
