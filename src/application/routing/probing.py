"""Asks every provider in use, with every credential in use, whether it is well; tells the log what changed.

A success lets requests through to what is down there once its time has passed, and uses a dead credential again. A refused
secret is set aside before a customer's request meets it. What a probe saw is summed up once an hour, as a fact.

The list of models says that a provider can be reached and takes the secret. It says nothing of money: a credential
that was refused for want of it is tried again some time after, since nothing free would tell.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from application.clock import Clock
from application.command import execute
from application.directory import Directory
from application.directory_views import DeploymentView
from application.eventlog import EventStore
from application.routing.health import Health
from application.routing.probe import Probed, probe
from application.routing.tally import Tally
from application.upstream import Upstream
from application.vault import Vault, VaultError
from domain.fact import SYSTEM
from domain.health.probe import ProbesSummarised, probes_stream

EVERY_S: Final = 60.0
JITTER_S: Final = 6.0
"""Probes of one round are spread over so long, so that providers do not see them on the beat."""
AT_ONCE_MAX: Final = 16
SUMMARY_S: Final = 3600
FUNDS_REST_S: Final = 600
"""How long a credential without money is left alone before a request may find out whether it has some."""
_BATCH: Final = 1_000
_SECOND_US: Final = 1_000_000
_MAY_NOT_LIST: Final = 403
"""Perhaps a key that may not list models and serves all the same: it is not set aside for that."""

log = structlog.get_logger()


class Probing:
    """The probes of one process. Blocking but for `round`; one round at a time."""

    def __init__(
        self,
        *,
        directory: Directory,
        health: Health,
        store: EventStore,
        vault: Vault,
        clock: Clock,
        delay: Callable[[], Awaitable[None]],
    ) -> None:
        self._directory = directory
        self._health = health
        self._store = store
        self._vault = vault
        self._clock = clock
        self._delay = delay
        self._tallies: dict[tuple[UUID, UUID | None], Tally] = {}

    async def round(self, upstream: Upstream) -> None:
        """Probe everything once, and tell. `delay` is awaited before each probe.

        Raises:
            EventLogError, UnknownTopic: the log cannot be followed or written; the next round begins where this ended.
        """
        await asyncio.to_thread(self._follow)
        turns = asyncio.Semaphore(AT_ONCE_MAX)

        async def one(same: list[DeploymentView]) -> None:
            await self._delay()
            async with turns:
                self._note(same, await probe(upstream, same[0]))

        groups = _grouped(self._directory.deployments_in_use())
        self._forget_all_but(groups)
        await asyncio.gather(*(one(same) for same in groups.values()))
        await asyncio.to_thread(self._tell)

    def close(self) -> None:
        """Sum up what was not summed up yet. Raises: EventLogError."""
        self._sum_up(self._tallies)
        self._tallies = {}

    def _follow(self) -> None:
        while True:
            batch = self._store.read_control(after_position=self._directory.position, limit=_BATCH)
            for recorded in batch:
                self._directory.apply(recorded)
            if len(batch) < _BATCH:
                break
        for ref in self._directory.missing_secrets():
            try:
                self._directory.put_secret(ref, self._vault.open(ref))
            except VaultError as error:
                log.warning(
                    "credential_not_probed", credential_id=str(ref.credential_id), reason=type(error).__name__
                )

    def _note(self, same: list[DeploymentView], probed: Probed) -> None:
        first = same[0]
        key = (first.provider_id, first.credential_id)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally(from_us=self._clock.now_us())
        tally.add(probed)
        if probed.outcome == "ok":
            self._is_well(same)
        elif first.credential_id is not None and (
            probed.outcome == "funds" or (probed.outcome == "auth" and probed.status != _MAY_NOT_LIST)
        ):
            self._health.credential_failed(
                first.credential_id,
                secret_version=first.secret_version,
                cause="funds" if probed.outcome == "funds" else "auth",
                status=probed.status,
            )

    def _is_well(self, same: list[DeploymentView]) -> None:
        now_us = self._clock.now_us()
        for one in same:
            if self._health.breaker(one.deployment_id).wants_trial(now_us):
                self._health.close(one.deployment_id, "probe_succeeded")
        credential_id = same[0].credential_id
        if credential_id is None:
            return
        condition = self._health.condition(credential_id)
        is_too_soon = now_us < condition.since_us + FUNDS_REST_S * _SECOND_US
        if not (condition.cause == "funds" and is_too_soon):
            self._health.credential_recovered(credential_id, "probe_succeeded")

    def _tell(self) -> None:
        while self._health.proposals:
            self._health.proposals[0](self._store)
            self._health.proposals.popleft()
        oldest_us = self._clock.now_us() - SUMMARY_S * _SECOND_US
        self._sum_up({key: one for key, one in self._tallies.items() if one.from_us <= oldest_us})

    def _sum_up(self, tallies: dict[tuple[UUID, UUID | None], Tally]) -> None:
        for (provider_id, credential_id), tally in tallies.items():
            summary = tally.summary(
                provider_id, credential_id, now_us=self._clock.now_us(), actor=SYSTEM.label
            )
            execute(self._store, probes_stream(provider_id), None, _nothing, partial(_said, summary))
            self._tallies = {key: one for key, one in self._tallies.items() if one is not tally}

    def _forget_all_but(self, groups: Iterable[tuple[UUID, UUID | None]]) -> None:
        """What is not in use any more is summed up early."""
        kept = set(groups)
        gone = {key: one for key, one in self._tallies.items() if key not in kept}
        if gone:
            self._sum_up(gone)


def _grouped(deployments: list[DeploymentView]) -> dict[tuple[UUID, UUID | None], list[DeploymentView]]:
    groups: dict[tuple[UUID, UUID | None], list[DeploymentView]] = {}
    for one in deployments:
        groups.setdefault((one.provider_id, one.credential_id), []).append(one)
    return groups


def _said(summary: ProbesSummarised, _: None) -> list[ProbesSummarised]:
    return [summary]


def _nothing(_: None, event: ProbesSummarised) -> None:  # noqa: ARG001  summaries decide nothing
    return None
