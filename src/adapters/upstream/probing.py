"""Probes for operators' commands, which block: each with a client of its own, checked as gateways' are."""

import asyncio
import threading

from adapters.upstream.client import UpstreamClient
from adapters.upstream.dial import resolve_by_system
from adapters.upstream.egress import checked
from application.routing.probe import Probed, ProbeTarget, probe
from domain.catalogue.addresses import Allowlist


class BlockingProbe:
    """A `Probe`. One at a time in a process: a command that connects where it is told is no means to scan with."""

    def __init__(self, allowlist: Allowlist) -> None:
        self._allowlist = allowlist
        self._turn = threading.Lock()

    def __call__(self, target: ProbeTarget) -> Probed:
        with self._turn:
            return asyncio.run(self._ask(target))

    async def _ask(self, target: ProbeTarget) -> Probed:
        upstream = UpstreamClient(resolve=checked(resolve_by_system, self._allowlist))
        try:
            return await probe(upstream, target)
        finally:
            await upstream.aclose()
