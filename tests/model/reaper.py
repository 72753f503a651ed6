"""The reaper: ends the leases of owners that are dead, or that it takes for dead.

It reads the tails of both streams and appends in one go, while nobody else can append.
"""

from collections.abc import Sequence
from uuid import UUID

from domain.event import Event
from domain.ledger.events import Owner
from domain.ledger.lease import Lease
from domain.ledger.refusals import AmountOutOfRange
from domain.ledger.wallet import Wallet
from tests.model.store import new_event
from tests.model.world import ACCOUNT, WALLET, Violation, World, fold_lease


def fence(world: World, lease_id: UUID, *, by: Owner) -> None:
    """Fence and settle one lease.

    Raises:
        LeaseEnded: it has ended already; nothing was stored.
    """
    lease = world.lease(lease_id) if world.switches.fence_reads_lease else _remembered(world, lease_id)
    wallet = world.wallet()
    ending = world.rules.fence(lease, by=by, reason="silent", now_us=world.now_us())
    settling = _settle(world, wallet, lease, last_version=lease.version + len(ending))
    world.log.append(
        [
            *(new_event(lease_id, version, event) for version, event in enumerate(ending, lease.version + 1)),
            *(
                new_event(WALLET, version, event)
                for version, event in enumerate(settling, wallet.version + 1)
            ),
        ]
    )


def _settle(world: World, wallet: Wallet, lease: Lease, *, last_version: int) -> Sequence[Event]:
    try:
        return world.rules.settle_lease(
            wallet,
            account_id=ACCOUNT,
            lease_id=lease.lease_id,
            outcome="fenced",
            charged_nano=lease.charged_nano,
            charges=lease.charges,
            last_version=last_version,
            now_us=world.now_us(),
            spent=lease.spent(),
        )
    except AmountOutOfRange as refusal:
        raise Violation("P03", "more was charged than lent") from refusal


def _remembered(world: World, lease_id: UUID) -> Lease:
    """What a reaper knows that looked before the last charges were stored."""
    stream = world.log.read_stream(lease_id)
    lease = Lease(lease_id)
    for stored in stream[:1]:
        fold_lease(lease, stored.event)
    lease.version = len(stream)
    return lease
