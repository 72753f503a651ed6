"""What a mutation can break: the deciders of the product, and the conduct of what stands around them.

Every switch is on in a right system. The deciders are the product's own; a mutant puts a wrapper in the place of one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain import balance_alerts
from domain.ledger import (
    adjusting,
    claims,
    correcting,
    credit,
    disputing,
    lease,
    leasing,
    lending,
    snapshot,
)
from domain.promotions import batch

Decider = Callable[..., Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Deciders:
    """The product's rules as the model calls them."""

    grant_credit: Decider = credit.grant_credit
    expire_lots: Decider = credit.expire_lots
    post_adjustment: Decider = adjusting.post
    reserve: Decider = claims.reserve
    freeze: Decider = claims.freeze
    release_claim: Decider = claims.release
    take: Decider = claims.take
    restore: Decider = claims.restore
    grant_lease: Decider = lending.grant_lease
    extend_lease: Decider = lending.extend_lease
    reduce_lease: Decider = lending.reduce_lease
    settle_lease: Decider = lending.settle_lease
    top_up: Decider = leasing.top_up
    give_back: Decider = leasing.give_back
    admit: Decider = lease.admit
    charge: Decider = lease.charge
    release: Decider = lease.release
    close: Decider = leasing.close
    fence: Decider = leasing.fence
    review: Decider = correcting.review
    dispute: Decider = disputing.dispute
    report_late: Decider = correcting.report_late
    redeem: Decider = batch.redeem
    credit_of: Decider = batch.credit_of
    falls_below: Callable[..., bool] = balance_alerts.falls_below
    crossing_stream: Callable[..., UUID] = balance_alerts.crossing_stream
    encode_snapshot: Callable[..., bytes] = snapshot.encode_snapshot


@dataclass(frozen=True, kw_only=True)
class Switches:
    """A right system has all of them on."""

    deciders: Deciders = field(default_factory=Deciders)

    # --- the log
    checks_versions: bool = True  #: a stream's first new version must be its head + 1
    checks_endings: bool = True  #: nothing follows a closing event
    groups_are_atomic: bool = True
    positions_follow_commits: bool = True  #: the lock that orders the log

    # --- the journal of a gateway
    fails_what_follows: bool = True  #: groups behind a failed one on the same stream fail too
    reads_doubt_back: bool = True  #: an unknown outcome is looked up before anything is sent again
    keeps_versions_on_retry: bool = True  #: off: what is sent again takes whatever version is next
    decides_again: bool = True  #: off: a decision that lost a race is stored on top of the winner

    # --- a gateway
    first_byte_waits: bool = True  #: for the admission to be durable
    last_byte_waits: bool = True  #: for the charge to be durable
    outcome_decides: bool = (
        True  #: off: a response is failed on hearing of the fence, its charge being on the way
    )
    wallet_lends_first: bool = True  #: off: the lease counts on credit before the wallet has lent it
    lease_gives_first: bool = True  #: off: the wallet takes back before the lease has let go
    charges_before_close: bool = True
    answers_recall: bool = True
    closes_micro: bool = True

    # --- the others
    fence_reads_lease: bool = True  #: off: the reaper settles by what it remembers
    follower_keeps_position: bool = True
