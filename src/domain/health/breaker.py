"""Circuit breakers: one stream a deployment, so that a process that opens one opens it everywhere.

Closed, requests pass. Open, none does until a time. Then one process at a time lets a trial pass: whoever appends
`BreakerHalfOpened` first. The trial closes the breaker, or opens it for twice as long.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ids import stream_of

OPEN_S: Final = 10
OPEN_S_MAX: Final = 300
TRIAL_S: Final = 60
"""A trial whose outcome nobody told within this time is given up, with the process that made it."""
_BREAKERS: Final = UUID("0e6c1f57-93a2-5b04-8d3e-7f21ac9be510")
_SECOND_US: Final = 1_000_000

BreakerState = Literal["closed", "open", "half-open"]
OpenCause = Literal["consecutive_failures", "failure_ratio", "trial_failed", "operator"]
CloseCause = Literal["trial_succeeded", "probe_succeeded", "operator"]


class BreakerOpened(Fact, frozen=True, kw_only=True):
    """No request goes to this deployment until a time."""

    TOPIC: ClassVar[str] = "breaker.opened.v1"

    deployment_id: UUID
    cause: OpenCause
    outcome: str  #: class of the last failure, as attempts record it
    failures: int  #: in the window, at the process that opened it
    requests: int  #: likewise, all
    open_until_us: int


class BreakerHalfOpened(Fact, frozen=True, kw_only=True):
    """One process tries the deployment."""

    TOPIC: ClassVar[str] = "breaker.half-opened.v1"

    deployment_id: UUID
    instance_id: UUID  #: the process whose request is the trial


class BreakerClosed(Fact, frozen=True, kw_only=True):
    """Requests go to this deployment again."""

    TOPIC: ClassVar[str] = "breaker.closed.v1"

    deployment_id: UUID
    cause: CloseCause


BreakerEvent = BreakerOpened | BreakerHalfOpened | BreakerClosed
BREAKER_EVENTS: tuple[type[Fact], ...] = (BreakerOpened, BreakerHalfOpened, BreakerClosed)


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a breaker stream."""

    state: BreakerState = "closed"
    open_until_us: int = 0
    opened_times: int = 0  #: in a row, without a success between
    trial_since_us: int = 0

    @property
    def passes(self) -> bool:
        """Whether any request may go there without being a trial."""
        return self.state == "closed"

    def wants_trial(self, now_us: int) -> bool:
        """Whether a request may go there as a trial."""
        if self.state == "open":
            return now_us >= self.open_until_us
        return self.state == "half-open" and now_us >= self.trial_since_us + TRIAL_S * _SECOND_US


CLOSED: Final = Breaker()


def breaker_stream(deployment_id: UUID) -> UUID:
    """One deployment, one stream."""
    return stream_of(_BREAKERS, str(deployment_id))


def evolve(breaker: Breaker, event: BreakerEvent) -> Breaker:
    """The breaker after one more fact."""
    match event:
        case BreakerOpened():
            return Breaker(
                state="open",
                open_until_us=event.open_until_us,
                opened_times=breaker.opened_times + 1,
            )
        case BreakerHalfOpened():
            return msgspec.structs.replace(breaker, state="half-open", trial_since_us=event.occurred_us)
        case BreakerClosed():
            return CLOSED
        case _:
            assert_never(event)


def open_for(opened_times: int) -> int:
    """Seconds that a breaker stays open when it was opened so many times before, without a success between."""
    return min(OPEN_S << min(opened_times, 10), OPEN_S_MAX)


def trip(
    breaker: Breaker,
    *,
    deployment_id: UUID,
    cause: OpenCause,
    outcome: str,
    failures: int,
    requests: int,
    stamp: Stamp,
) -> list[BreakerEvent]:
    """Open it; one that another process opened meanwhile stays as it is."""
    if breaker.state == "open" and stamp.now_us < breaker.open_until_us:
        return []
    if breaker.state == "half-open" and cause != "trial_failed":
        return []
    return [
        BreakerOpened(
            deployment_id=deployment_id,
            cause=cause,
            outcome=outcome,
            failures=failures,
            requests=requests,
            open_until_us=stamp.now_us + open_for(breaker.opened_times) * _SECOND_US,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def try_out(breaker: Breaker, *, deployment_id: UUID, instance_id: UUID, stamp: Stamp) -> list[BreakerEvent]:
    """Let one request pass as a trial; none if it is not the time, or another process is at it."""
    if not breaker.wants_trial(stamp.now_us):
        return []
    return [
        BreakerHalfOpened(
            deployment_id=deployment_id,
            instance_id=instance_id,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def close(breaker: Breaker, *, deployment_id: UUID, cause: CloseCause, stamp: Stamp) -> list[BreakerEvent]:
    """Let requests pass; closing twice does nothing."""
    if breaker.state == "closed":
        return []
    return [
        BreakerClosed(deployment_id=deployment_id, cause=cause, occurred_us=stamp.now_us, actor=stamp.actor)
    ]
