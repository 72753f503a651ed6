"""P25 as a state machine: clients repeat requests with a key, in any order, while replies get lost and owners die.

Each request has a lease of its own. A request holds, claims the key, then ends: a charge goes into one append with its
outcome; what ends without a charge frees the key by a fact of its own, and if that is missing, whoever asks next does,
once the lease of the claimant has ended.
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
from domain.ledger import leasing
from domain.ledger.events import Owner, UsageCharged
from domain.ledger.idempotency import (
    IdempotencyEvent,
    IdempotencyInProgress,
    IdempotencyKey,
    IdempotencyKeyClaimed,
    IdempotencyKeyReused,
    IdempotencyOutcomeRecorded,
    Outcome,
    Replay,
    charged_for,
    claim,
    digest,
    evolve,
    key_stream,
    record_outcome,
)
from domain.ledger.lease import Lease
from tests.model.gateway import ANSWER
from tests.model.store import Fate, Log, Stored, new_event
from tests.model.switches import Switches
from tests.model.world import ACCOUNT, ALIAS, KEY, fold_lease, require

OWNER, REAPER = Owner(UUID(int=7), 1), Owner(UUID(int=8), 1)
HOLD_NANO = 100
_ADMITTED = 2  #: the version of a lease that holds the credit of its one request
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
    state: Literal["holding", "serving", "done"] = "holding"
    heard: Replay | Literal["reused", "in progress"] | None = None  #: what the client was told
    key: IdempotencyKey = msgspec.field(default_factory=IdempotencyKey)  #: as its owner claimed it


class Idempotency(RuleBasedStateMachine):
    """Two keys of one account, and any number of requests."""

    switches: ClassVar[Switches] = Switches()
    seen: ClassVar[set[object]] = set()  #: what was stored and told in all histories
    outcome_joins_the_charge: ClassVar[bool] = True
    compares_bodies: ClassVar[bool] = True
    waits_for_the_lease: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.log = Log(self.switches)
        self.calls: list[Call] = []

    # --- what can happen

    @rule(key=keys, body=bodies)
    def ask(self, key: str, body: str) -> None:
        """A request comes in, looks at its key, and holds credit if there is something to do."""
        call = Call(UUID(int=1000 + len(self.calls)), key, body)
        self.calls.append(call)
        if self._may_be_served(call):
            self.log.append(self._admission(call))

    @rule(pick=which, fate=fates)
    def claim(self, pick: int, fate: Fate) -> None:
        """Its owner claims the key, or asks again because it does not know whether its claim was stored."""
        call = self._pick("holding", pick)
        if call is None or self._lease(call).ended:
            return
        claimed = self._claimed(call)
        if claimed is None:
            self.log.append(self._next(self._lease_id(call), self._release(self._lease(call), call)))
            call.state = "done"
        elif not claimed or self._store(self._next(self._key_stream(call), claimed), fate):
            call.state, call.key = "serving", self._key(call)

    @rule(pick=which, charge_nano=st.integers(0, 2 * HOLD_NANO), fate=fates)
    def answer(self, pick: int, charge_nano: int, fate: Fate) -> None:
        """The upstream answered; the owner may be a zombie whose lease is fenced."""
        call = self._pick("serving", pick)
        if call is None or self._is_told(call):
            return
        lease = self._folded(self._lease_id(call), versions=_ADMITTED)
        charged = self._charge(lease, call, charge_nano)
        charge = [new_event(lease.lease_id, _ADMITTED + 1, one) for one in charged]
        told = self._outcome(call, "charged", min(charge_nano, HOLD_NANO))
        if self.outcome_joins_the_charge:
            self._store([*charge, *told], fate)
        elif self._store(charge, Fate.ANSWERED):
            self._store(told, fate)
        self._hear(call)

    @rule(pick=which, fate=fates)
    def fail(self, pick: int, fate: Fate) -> None:
        """Nothing to pay for: the owner gives the hold back, then frees the key, if that arrives."""
        call = self._pick("serving", pick)
        if call is None or self._is_told(call) or self._lease(call).ended:
            return
        self.log.append(self._next(self._lease_id(call), self._release(self._lease(call), call)))
        self._store(self._outcome(call, "released", 0), fate)
        self._hear(call)
        call.state = "done"

    @rule(pick=which, is_serving=st.booleans())
    def fence(self, pick: int, *, is_serving: bool) -> None:
        """The reaper ends the lease of an owner that it takes for dead. It knows nothing of keys."""
        call = self._pick("serving" if is_serving else "holding", pick)
        if call is not None and not self._lease(call).ended:
            fenced = leasing.fence(self._lease(call), by=REAPER, reason="silent", now_us=1)
            self.log.append(self._next(self._lease_id(call), fenced))

    @rule(pick=which)
    def deliver(self, pick: int) -> None:
        self.log.deliver(pick)

    # --- what must hold

    @invariant()
    def one_key_is_one_charge(self) -> None:
        """P25: one request at a time, at most one charge for a key and nothing after it, and none for another body."""
        for key_sha256 in KEYS:
            stream = self.log.read_stream(key_stream(ACCOUNT, key_sha256))
            facts = [stored.event for stored in stream]
            claims = [fact for fact in facts if isinstance(fact, IdempotencyKeyClaimed)]
            outcomes = [fact for fact in facts if isinstance(fact, IdempotencyOutcomeRecorded)]
            owners = [fact.request_id for fact in claims]
            require("P25", 0 <= len(claims) - len(outcomes) <= 1, facts)
            require("P25", owners[: len(outcomes)] == [fact.request_id for fact in outcomes], facts)
            require("P25", all(fact.outcome != "charged" for fact in outcomes[:-1]), "a charge is the end")
            require("P25", len({fact.body_sha256 for fact in claims}) <= 1, "one body")
            self._check_key(key_sha256, claims, outcomes)

    def _check_key(
        self,
        key_sha256: str,
        claims: Sequence[IdempotencyKeyClaimed],
        outcomes: Sequence[IdempotencyOutcomeRecorded],
    ) -> None:
        told = {fact.request_id: fact for fact in outcomes}
        for call in self.calls:
            if call.key_sha256 != key_sha256:
                continue
            mine = told.get(call.request_id)
            paid = [mine.charge_nano] if mine is not None and mine.outcome == "charged" else []
            charges = [fact.charge_nano for fact in self._charges(call)]
            require("P25", charges == paid, "charge and outcome agree")
            if isinstance(call.heard, Replay):
                said = told[call.heard.request_id]
                is_mine = call.heard.request_id == call.request_id
                require("P25", is_mine or said.outcome == "charged", "others hear of a charge only")
                require("P25", call.heard.charge_nano == said.charge_nano, "all hear the same")
                require("P25", call.body_sha256 == claims[0].body_sha256, "the outcome is of the same body")
            if call.heard == "reused":
                require("P25", call.body_sha256 != claims[0].body_sha256, "only another body is refused")

    def _charges(self, call: Call) -> list[UsageCharged]:
        stream = self.log.read_stream(self._lease_id(call))
        return [stored.event for stored in stream if isinstance(stored.event, UsageCharged)]

    def teardown(self) -> None:
        facts = [stored.event for stored in self.log.events]
        self.seen.update(fact.outcome for fact in facts if isinstance(fact, IdempotencyOutcomeRecorded))
        self.seen.update(call.heard for call in self.calls if not isinstance(call.heard, Replay))

    # --- how an owner works

    def _may_be_served(self, call: Call) -> bool:
        """Whether the key is free for this body; if not, the client is told why."""
        key = self._free_if_over(call)
        try:
            charged = charged_for(key, body_sha256=self._body(call, key))
        except IdempotencyKeyReused:
            call.state, call.heard = "done", "reused"
        except IdempotencyInProgress:
            call.state, call.heard = "done", "in progress"
        else:
            if charged is None:
                return True
            call.state, call.heard = "done", charged
        return False

    def _claimed(self, call: Call) -> list[IdempotencyEvent] | None:
        """What to store for the claim; none when somebody else was faster."""
        key = self._key(call)
        try:
            claimed = claim(
                key,
                account_id=ACCOUNT,
                key_sha256=call.key_sha256,
                body_sha256=self._body(call, key),
                request_id=call.request_id,
                now_us=1,
                lease_id=self._lease_id(call),
            )
        except (IdempotencyKeyReused, IdempotencyInProgress):
            return None
        return None if isinstance(claimed, Replay) else claimed

    def _free_if_over(self, call: Call) -> IdempotencyKey:
        """The key; freed before by whoever asks if its claimant cannot be charged any more."""
        key = self._key(call)
        if key.request_id is None or key.recorded is not None:
            return key
        assert key.lease_id is not None
        if self.waits_for_the_lease and not self._folded(key.lease_id).ended:
            return key
        freed = record_outcome(key, request_id=key.request_id, outcome="abandoned", charge_nano=0, now_us=1)
        self._store(self._next(self._key_stream(call), freed), Fate.ANSWERED)
        return self._key(call)

    def _body(self, call: Call, key: IdempotencyKey) -> str:
        return call.body_sha256 if self.compares_bodies or key.request_id is None else key.body_sha256

    def _is_told(self, call: Call) -> bool:
        """Whether it has ended already, by an append whose answer was lost."""
        self._hear(call)
        return call.state == "done"

    def _admission(self, call: Call) -> list[NewEvent]:
        lease = Lease(self._lease_id(call))
        opened = leasing.open_lease(
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

    def _outcome(self, call: Call, outcome: Outcome, charge_nano: int) -> list[NewEvent]:
        """At the version after the claim, whatever others have stored there since."""
        told = record_outcome(
            call.key, request_id=call.request_id, outcome=outcome, charge_nano=charge_nano, now_us=1
        )
        return [new_event(self._key_stream(call), call.key.version + 1, one) for one in told]

    def _hear(self, call: Call) -> None:
        """The client hears what is stored, once it is."""
        for stored in self.log.read_stream(self._key_stream(call)):
            fact = stored.event
            if isinstance(fact, IdempotencyOutcomeRecorded) and fact.request_id == call.request_id:
                call.state, call.heard = "done", Replay(fact.request_id, fact.outcome, fact.charge_nano)

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
        return self._folded(self._lease_id(call))

    def _folded(self, lease_id: UUID, *, versions: int | None = None) -> Lease:
        """As it is in the log, or as its owner knows it who looks at nothing but its own appends."""
        lease = Lease(lease_id)
        for stored in self.log.read_stream(lease_id)[:versions]:
            fold_lease(lease, stored.event)
        return lease

    def _lease_id(self, call: Call) -> UUID:
        return UUID(int=call.request_id.int << 16)

    def _key_stream(self, call: Call) -> UUID:
        return key_stream(ACCOUNT, call.key_sha256)

    def _pick(self, state: str, pick: int) -> Call | None:
        found = [call for call in self.calls if call.state == state]
        return found[pick % len(found)] if found else None
