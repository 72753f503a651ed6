"""P25 as a state machine: clients repeat requests with a key, in any order, while replies get lost and owners die.

Each request that claims the key has a lease of its own; the outcome goes into one append with the charge or the fence.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from application.eventlog import NewEvent
from domain.event import Event
from domain.ledger import lease as lease_rules
from domain.ledger.events import Owner, UsageCharged
from domain.ledger.idempotency import (
    IdempotencyInProgress,
    IdempotencyKey,
    IdempotencyKeyClaimed,
    IdempotencyKeyReused,
    IdempotencyOutcomeRecorded,
    Outcome,
    Replay,
    claim,
    digest,
    evolve,
    key_stream,
    record_outcome,
)
from domain.ledger.lease import Lease
from tests.model.gateway import ANSWER
from tests.model.invariants import require
from tests.model.store import Fate, Log, Stored, new_event
from tests.model.switches import Switches
from tests.model.world import ACCOUNT, ALIAS, KEY, fold_lease

OWNER, REAPER = Owner(UUID(int=7), 1), Owner(UUID(int=8), 1)
HOLD_NANO = 100
KEYS = tuple(digest(key) for key in (b"key one", b"key two"))
BODIES = tuple(digest(body) for body in (b"a body", b"another body"))

keys, bodies = st.sampled_from(KEYS), st.sampled_from(BODIES)
which = st.integers(0, 31)
fates = st.sampled_from(tuple(Fate))


class Call(msgspec.Struct, eq=False):
    """One request of a client, as its owner knows it."""

    request_id: UUID
    key_sha256: str
    body_sha256: str
    state: Literal["asking", "serving", "done"] = "asking"
    heard: Replay | Literal["reused"] | None = None  #: what the client was told


class Idempotency(RuleBasedStateMachine):
    """Two keys of one account, and any number of requests."""

    switches: ClassVar[Switches] = Switches()
    heard: ClassVar[set[object]] = set()  #: what clients were told in all histories
    outcome_joins_the_charge: ClassVar[bool] = True
    compares_bodies: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.log = Log(self.switches)
        self.calls: list[Call] = []

    # --- what can happen

    @rule(key=keys, body=bodies, fate=fates)
    def ask(self, key: str, body: str, fate: Fate) -> None:
        """A request comes in; the reply to its claim may be lost."""
        self.calls.append(Call(UUID(int=1000 + len(self.calls)), key, body))
        self._ask(self.calls[-1], fate)

    @rule(pick=which, fate=fates)
    def ask_again(self, pick: int, fate: Fate) -> None:
        """An owner that does not know whether its claim was stored asks once more; so does a client that waits."""
        call = self._pick("asking", pick)
        if call is not None:
            self._ask(call, fate)

    @rule(pick=which, charge_nano=st.integers(0, 2 * HOLD_NANO), answered=st.booleans(), fate=fates)
    def finish(self, pick: int, charge_nano: int, answered: bool, fate: Fate) -> None:
        """The upstream answered, or failed; the owner may be a zombie whose lease is fenced."""
        call = self._pick("serving", pick)
        if call is None:
            return
        lease = self._lease(call)
        if lease.ended:
            self._hear(call)
            return
        ending = self._charge(lease, call, charge_nano) if answered else self._release(lease, call)
        fold_lease(lease, ending[0])
        ending = [*ending, *lease_rules.close(lease, now_us=1)]
        paid_nano = min(charge_nano, HOLD_NANO) if answered else 0
        self._end(call, ending, "charged" if answered else "released", paid_nano, fate)

    @rule(pick=which, fate=fates)
    def fence(self, pick: int, fate: Fate) -> None:
        """The reaper ends the lease of an owner that it takes for dead."""
        call = self._pick("serving", pick)
        if call is not None and not self._lease(call).ended:
            fenced = lease_rules.fence(self._lease(call), by=REAPER, reason="silent", now_us=1)
            self._end(call, fenced, "abandoned", 0, fate)

    @rule(pick=which)
    def deliver(self, pick: int) -> None:
        self.log.deliver(pick)

    # --- what must hold

    @invariant()
    def one_key_is_one_charge(self) -> None:
        """P25: one claim, one outcome, at most one charge for a key, and none for another body."""
        for key_sha256 in KEYS:
            stream = self.log.read_stream(key_stream(ACCOUNT, key_sha256))
            facts = [stored.event for stored in stream]
            claims = [fact for fact in facts if isinstance(fact, IdempotencyKeyClaimed)]
            outcomes = [fact for fact in facts if isinstance(fact, IdempotencyOutcomeRecorded)]
            require("P25", len(claims) <= 1 and len(outcomes) <= 1, facts)
            self._check_key(key_sha256, claims, outcomes)

    def _check_key(
        self,
        key_sha256: str,
        claims: Sequence[IdempotencyKeyClaimed],
        outcomes: Sequence[IdempotencyOutcomeRecorded],
    ) -> None:
        told = {fact.outcome: fact.charge_nano for fact in outcomes}
        for call in self.calls:
            if call.key_sha256 != key_sha256:
                continue
            owns = any(fact.request_id == call.request_id for fact in claims)
            charges = [fact.charge_nano for fact in self._charges(call)]
            require(
                "P25", not charges or (owns and charges == [told.get("charged")]), "charge and outcome agree"
            )
            require("P25", owns or not self.log.head(self._lease_id(call)), "only the claimant is served")
            if isinstance(call.heard, Replay):
                require("P25", [call.heard.charge_nano] == list(told.values()), "all hear the same")
                require("P25", call.body_sha256 == claims[0].body_sha256, "the outcome is of the same body")
            if call.heard == "reused":
                require("P25", call.body_sha256 != claims[0].body_sha256, "only another body is refused")

    def _charges(self, call: Call) -> list[UsageCharged]:
        stream = self.log.read_stream(self._lease_id(call))
        return [stored.event for stored in stream if isinstance(stored.event, UsageCharged)]

    def teardown(self) -> None:
        self.heard.update(
            call.heard.outcome if isinstance(call.heard, Replay) else call.heard for call in self.calls
        )

    # --- how an owner works

    def _ask(self, call: Call, fate: Fate) -> None:
        key = self._key(call)
        body = call.body_sha256 if self.compares_bodies or key.request_id is None else key.body_sha256
        try:
            claimed = claim(
                key,
                account_id=ACCOUNT,
                key_sha256=call.key_sha256,
                body_sha256=body,
                request_id=call.request_id,
                now_us=1,
            )
        except IdempotencyKeyReused:
            call.state, call.heard = "done", "reused"
            return
        except IdempotencyInProgress:
            return
        if isinstance(claimed, Replay):
            call.state, call.heard = "done", claimed
        elif not claimed or self._store(
            [*self._next(self._key_stream(call), claimed), *self._admission(call)], fate
        ):
            call.state = "serving"

    def _admission(self, call: Call) -> list[NewEvent]:
        lease = Lease(self._lease_id(call))
        opened = lease_rules.open_lease(
            lease, account_id=ACCOUNT, owner=OWNER, amount_nano=HOLD_NANO, valid_ms=1, now_us=1
        )
        fold_lease(lease, opened[0])
        admitted = lease_rules.admit(
            lease,
            request_id=call.request_id,
            key_id=KEY,
            alias=ALIAS,
            stream=False,
            hold_nano=HOLD_NANO,
            price_version=1,
            client_ref=None,
            now_us=1,
        )
        return [
            new_event(lease.lease_id, version, event) for version, event in enumerate([*opened, *admitted], 1)
        ]

    def _charge(self, lease: Lease, call: Call, rated_nano: int) -> Sequence[Event]:
        return lease_rules.charge(
            lease, request_id=call.request_id, rated_nano=rated_nano, answer=ANSWER, now_us=1
        )

    def _release(self, lease: Lease, call: Call) -> Sequence[Event]:
        return lease_rules.release(
            lease,
            request_id=call.request_id,
            key_id=KEY,
            alias=ALIAS,
            code="upstream_timeout",
            attempts=(),
            total_ms=1,
            now_us=1,
        )

    def _end(
        self, call: Call, ending: Sequence[Event], outcome: Outcome, charge_nano: int, fate: Fate
    ) -> None:
        recorded = record_outcome(
            self._key(call), request_id=call.request_id, outcome=outcome, charge_nano=charge_nano, now_us=1
        )
        ended = self._next(self._lease_id(call), ending)
        told = self._next(self._key_stream(call), recorded)
        if self.outcome_joins_the_charge:
            self._store([*ended, *told], fate)
        elif self._store(ended, Fate.ANSWERED):
            self._store(told, fate)
        self._hear(call)

    def _hear(self, call: Call) -> None:
        """The client hears what is stored, once it is."""
        recorded = self._key(call).recorded
        if recorded is not None:
            call.state, call.heard = "done", recorded

    # --- the log

    def _store(self, group: Sequence[NewEvent], fate: Fate) -> bool:
        if fate is Fate.ANSWERED:
            return self.log.append_batch([group])[0]
        self.log.send([group], fate)
        return False

    def _next(self, stream_id: UUID, events: Sequence[Event]) -> list[NewEvent]:
        return [
            new_event(stream_id, version, event)
            for version, event in enumerate(events, self.log.head(stream_id) + 1)
        ]

    def _key(self, call: Call) -> IdempotencyKey:
        key = IdempotencyKey()
        for stored in self.log.read_stream(self._key_stream(call)):
            self._fold(key, stored)
        return key

    def _fold(self, key: IdempotencyKey, stored: Stored) -> None:
        assert isinstance(stored.event, IdempotencyKeyClaimed | IdempotencyOutcomeRecorded)
        evolve(key, stored.event)

    def _lease(self, call: Call) -> Lease:
        lease = Lease(self._lease_id(call))
        for stored in self.log.read_stream(lease.lease_id):
            fold_lease(lease, stored.event)
        return lease

    def _lease_id(self, call: Call) -> UUID:
        return UUID(int=call.request_id.int << 16)

    def _key_stream(self, call: Call) -> UUID:
        return key_stream(ACCOUNT, call.key_sha256)

    def _pick(self, state: str, pick: int) -> Call | None:
        found = [call for call in self.calls if call.state == state]
        return found[pick % len(found)] if found else None
