"""How deployments and credentials are doing, as one process knows it: the log's facts and its own last minute.

The process acts on what it sees at once, and proposes it as a fact; whoever appends first decides, and what the log says
replaces what the process thought. Owned by the event loop; only `settle` of a proposal runs in a thread.
"""

from collections import deque
from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec

from application.clock import Clock
from application.command import execute
from application.eventlog import EventStore
from application.routing.window import OutcomeWindow
from domain.fact import SYSTEM, Stamp
from domain.health import breaker as breakers
from domain.health import credential as conditions
from domain.health.breaker import CLOSED, Breaker, BreakerEvent, CloseCause, OpenCause
from domain.health.credential import WELL, Condition, ConditionEvent, FailureCause, RecoveryCause

CONSECUTIVE_MAX: Final = 5
RATIO_MAX: Final = 0.5
RATIO_REQUESTS_MIN: Final = 20
"""A breaker opens at so many failures in a row, or at this share of at least so many requests in the window."""
PROPOSALS_MAX: Final = 1_000

Settle = Callable[[EventStore], None]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens."""

    consecutive_max: int = CONSECUTIVE_MAX
    ratio_max: float = RATIO_MAX
    ratio_requests_min: int = RATIO_REQUESTS_MIN


class Health:
    """The board of one process."""

    def __init__(self, *, instance_id: UUID, clock: Clock, policy: Policy | None = None) -> None:
        self.proposals: deque[Settle] = deque(maxlen=PROPOSALS_MAX)
        self._instance_id = instance_id
        self._clock = clock
        self._policy = Policy() if policy is None else policy
        self._told: dict[UUID, Breaker] = {}  # by the log
        self._breakers: dict[UUID, Breaker] = {}  # and by what happened here since; only those not closed
        self._windows: dict[UUID, OutcomeWindow] = {}
        self._conditions: dict[UUID, Condition] = {}  # only those not well
        self._resting_until_s: dict[UUID, float] = {}

    # --- the log's facts

    def on_breaker(self, event: BreakerEvent) -> None:
        deployment_id = event.deployment_id
        told = breakers.evolve(self._told.get(deployment_id, CLOSED), event)
        self._told[deployment_id] = told
        self._breakers[deployment_id] = told
        if told.state == "closed":
            del self._told[deployment_id], self._breakers[deployment_id]
            window = self._windows.get(deployment_id)
            if window is not None:
                window.clear()

    def on_condition(self, event: ConditionEvent) -> None:
        credential_id = event.credential_id
        condition = conditions.evolve(self._conditions.get(credential_id, WELL), event)
        if condition.cause is None:
            self._conditions.pop(credential_id, None)
        else:
            self._conditions[credential_id] = condition

    # --- questions

    @property
    def is_all_well(self) -> bool:
        """Nothing is open, dead or resting: the usual state, asked for on every request."""
        return not (self._breakers or self._conditions or self._resting_until_s)

    def breaker(self, deployment_id: UUID) -> Breaker:
        return self._breakers.get(deployment_id, CLOSED)

    def is_dead(self, credential_id: UUID | None, secret_version: int) -> bool:
        """Whether the provider refused this secret, or has no money left for it."""
        if credential_id is None:
            return False
        return self._conditions.get(credential_id, WELL).is_dead(secret_version)

    def condition(self, credential_id: UUID) -> Condition:
        """What is known of a credential, whichever of its secrets it concerns."""
        return self._conditions.get(credential_id, WELL)

    def is_resting(self, credential_id: UUID | None) -> bool:
        """Whether the provider asked not to be called with this credential yet."""
        if credential_id is None:
            return False
        until_s = self._resting_until_s.get(credential_id)
        if until_s is None:
            return False
        if self._clock.monotonic_s() >= until_s:
            del self._resting_until_s[credential_id]
            return False
        return True

    # --- what happens

    def take_trial(self, deployment_id: UUID) -> None:
        """A request goes there as a trial."""
        self._propose_breaker(
            deployment_id,
            lambda breaker: breakers.try_out(
                breaker, deployment_id=deployment_id, instance_id=self._instance_id, stamp=self._stamp()
            ),
        )

    def succeeded(self, deployment_id: UUID, *, was_trial: bool) -> None:
        """A deployment answered. Only a trial closes its breaker: others may have begun before it opened."""
        window = self._windows.get(deployment_id)
        if window is None:
            window = self._windows[deployment_id] = OutcomeWindow()
        window.add(failed=False, now_s=self._clock.monotonic_s())
        if was_trial:
            self.close(deployment_id, "trial_succeeded")

    def failed(self, deployment_id: UUID, outcome: str, *, was_trial: bool) -> None:
        """A deployment failed in a way that counts against it."""
        window = self._windows.get(deployment_id)
        if window is None:
            window = self._windows[deployment_id] = OutcomeWindow()
        window.add(failed=True, now_s=self._clock.monotonic_s())
        cause: OpenCause | None = "trial_failed" if was_trial else self._cause(window)
        if cause is not None:
            self._open(deployment_id, cause, outcome, window)

    def close(self, deployment_id: UUID, cause: CloseCause) -> None:
        """A deployment is well again."""
        self._propose_breaker(
            deployment_id,
            lambda breaker: breakers.close(
                breaker, deployment_id=deployment_id, cause=cause, stamp=self._stamp()
            ),
        )

    def credential_failed(
        self, credential_id: UUID, *, secret_version: int, cause: FailureCause, status: int
    ) -> None:
        """The provider refused a secret, or its account is out of money."""
        self._propose_condition(
            credential_id,
            lambda condition: conditions.fail(
                condition,
                credential_id=credential_id,
                secret_version=secret_version,
                cause=cause,
                status=status,
                stamp=self._stamp(),
            ),
        )

    def credential_recovered(self, credential_id: UUID, cause: RecoveryCause) -> None:
        """The provider serves a credential."""
        self._propose_condition(
            credential_id,
            lambda condition: conditions.recover(
                condition, credential_id=credential_id, cause=cause, stamp=self._stamp()
            ),
        )

    def rest(self, credential_id: UUID, seconds: float) -> None:
        """The provider limits this credential's rate: it is used again after a time. Each process finds out by itself."""
        self._resting_until_s[credential_id] = self._clock.monotonic_s() + seconds

    # --- proposals

    def _cause(self, window: OutcomeWindow) -> OpenCause | None:
        policy = self._policy
        if window.consecutive >= policy.consecutive_max:
            return "consecutive_failures"
        if window.requests >= policy.ratio_requests_min and (
            window.failures >= policy.ratio_max * window.requests
        ):
            return "failure_ratio"
        return None

    def _open(self, deployment_id: UUID, cause: OpenCause, outcome: str, window: OutcomeWindow) -> None:
        failures, requests, stamp = window.failures, window.requests, self._stamp()
        self._propose_breaker(
            deployment_id,
            lambda breaker: breakers.trip(
                breaker,
                deployment_id=deployment_id,
                cause=cause,
                outcome=outcome,
                failures=failures,
                requests=requests,
                stamp=stamp,
            ),
        )

    def _propose_breaker(self, deployment_id: UUID, decide: Callable[[Breaker], list[BreakerEvent]]) -> None:
        breaker = self._breakers.get(deployment_id, CLOSED)
        decided = decide(breaker)
        if not decided:
            return
        for event in decided:
            breaker = breakers.evolve(breaker, event)
        if breaker.state == "closed":
            self._breakers.pop(deployment_id, None)
        else:
            self._breakers[deployment_id] = breaker
        stream_id = breakers.breaker_stream(deployment_id)
        self.proposals.append(lambda store: _settle(store, stream_id, CLOSED, breakers.evolve, decide))

    def _propose_condition(
        self, credential_id: UUID, decide: Callable[[Condition], list[ConditionEvent]]
    ) -> None:
        decided = decide(self._conditions.get(credential_id, WELL))
        if not decided:
            return
        for event in decided:
            self.on_condition(event)
        stream_id = conditions.condition_stream(credential_id)
        self.proposals.append(lambda store: _settle(store, stream_id, WELL, conditions.evolve, decide))

    def _stamp(self) -> Stamp:
        return Stamp(now_us=self._clock.now_us(), actor=SYSTEM.label)


def _settle(store: EventStore, stream_id: UUID, initial: object, evolve: object, decide: object) -> None:
    execute(store, stream_id, initial, evolve, decide)  # type: ignore[arg-type]  # the two callers agree on the types
