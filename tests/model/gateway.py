"""A gateway: serves requests out of its leases, and asks the other gateways before it refuses one."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.event import Event
from domain.ledger.events import Attempt, Units
from domain.ledger.lease import Answer, Lease
from domain.ledger.lending import request_recall
from domain.ledger.refusals import (
    AccountInDebt,
    AmountOutOfRange,
    DuplicateRequest,
    InsufficientCredit,
    LeaseEnded,
    UnknownRequest,
)
from tests.model.journal import nothing
from tests.model.lending import Lender
from tests.model.process import Draft
from tests.model.world import ACCOUNT, ALIAS, KEY, Request

ANSWER = Answer(
    key_id=KEY,
    alias=ALIAS,
    price_version=1,
    units=Units(input=7, output=5),
    usage_source="provider",
    result="completed",
    provider="sandbox",
    deployment_id=UUID(int=3),
    attempts=(
        Attempt(
            deployment_id=UUID(int=3),
            provider="sandbox",
            model="m",
            status=200,
            outcome="ok",
            started_us=1,
            duration_ms=2,
        ),
    ),
    first_byte_ms=1,
    total_ms=2,
)
ABSURD = msgspec.structs.replace(ANSWER, usage_flags=("absurd", "clamped"))


class Gateway(Lender):
    """One life of one gateway."""

    def serve(self, request: Request) -> None:
        """Admit, or ask the others for what they do not hold, or refuse."""
        for prepare in (nothing, self.sync, lambda: self._recall(request)):
            prepare()
            try:
                self._place(request)
            except (InsufficientCredit, AccountInDebt):
                continue
            return
        request.told = "refused"
        self._world.note("refused")
        self._world.check_refusal(request)

    def answer(self, request: Request, rated_nano: int) -> None:
        """The upstream answered. A cost that is no amount is charged as the worst case."""
        if request.told or request.lease_id not in self.leases:
            return
        request.rated_nano = rated_nano
        self._settle(request)

    def give_up(self, request: Request) -> None:
        """The request failed; its client is told so at once."""
        if request.told or request.rated_nano is not None:
            return
        request.told = "failed"
        self._release(request)

    def _place(self, request: Request) -> None:
        """Raises `InsufficientCredit` or `AccountInDebt`; nothing is held then."""
        if request.micro:
            draft = Draft(self)
            lease = self._grant(draft, request.hold_nano, alias=request.alias, micro=True)
            self._world.note("micro")
        else:
            lease = self._lease_with(request) or self._borrow(request)
            draft = Draft(self)
        admitted = self._rules.admit(
            lease,
            request_id=request.request_id,
            key_id=KEY,
            alias=request.alias,
            stream=False,
            hold_nano=request.hold_nano,
            price_version=1,
            client_ref=None,
            now_us=self._world.now_us(),
        )
        draft.lease(lease, admitted)
        request.lease_id = lease.lease_id
        request.first_byte = not self._world.switches.first_byte_waits
        self._submit(draft, stored=lambda: self._show(request), redo=lambda: self._place_again(request))

    def _show(self, request: Request) -> None:
        request.first_byte = True

    def _place_again(self, request: Request) -> None:
        """The admission was not stored, and not a byte was shown: another lease may serve it."""
        if request.told:
            return
        request.joint = True
        self._world.note("admitted again")
        try:
            self._place(request)
        except (InsufficientCredit, AccountInDebt, DuplicateRequest):
            request.told = "failed"

    def _settle(self, request: Request) -> None:
        if request.told:
            return
        lease = self.leases.get(request.lease_id)
        draft = Draft(self)
        if lease is None or not self._draft_charge(draft, lease, request):
            request.told = "failed"
            return
        if not self._world.switches.last_byte_waits:
            self._complete(request)
        self._submit(draft, stored=lambda: self._complete(request), redo=lambda: self._settle(request))

    def _draft_charge(self, draft: Draft, lease: Lease, request: Request) -> bool:
        """False when nothing can be charged here any more."""
        closes = self._is_micro(request)
        closes_first = closes and not self._world.switches.charges_before_close
        if closes_first and not self._end(draft, lease):
            return False
        try:
            draft.lease(lease, self._charge(lease, request))
        except LeaseEnded:
            self._drop(lease.lease_id)
            return False
        except UnknownRequest:  # only a journal that does not read back comes here
            return False
        return closes_first or not closes or self._end(draft, lease)

    def _charge(self, lease: Lease, request: Request) -> Sequence[Event]:
        def charge(rated_nano: int | None, answer: Answer = ANSWER) -> Sequence[Event]:
            return self._rules.charge(
                lease,
                request_id=request.request_id,
                rated_nano=rated_nano,
                answer=answer,
                now_us=self._world.now_us(),
            )

        try:
            return charge(request.rated_nano)
        except AmountOutOfRange:
            self._world.note("absurd cost")
            request.rated_nano = request.hold_nano
            return charge(request.rated_nano, ABSURD)

    def _complete(self, request: Request) -> None:
        request.told = "completed"
        if self._is_micro(request):
            self.leases.pop(request.lease_id, None)

    def _release(self, request: Request) -> None:
        lease = self.leases.get(request.lease_id)
        if lease is None or request.request_id not in lease.holds:
            return
        draft = Draft(self)
        draft.lease(lease, self.release_events(lease, request))
        if self._is_micro(request) and not self._end(draft, lease):
            return
        self._submit(draft, redo=lambda: self._release(request))

    def release_events(self, lease: Lease, request: Request) -> Sequence[Event]:
        return self._rules.release(
            lease,
            request_id=request.request_id,
            key_id=KEY,
            alias=ALIAS,
            code="upstream_timeout",
            attempts=(),
            total_ms=1,
            now_us=self._world.now_us(),
        )

    def _is_micro(self, request: Request) -> bool:
        return request.lease_id in self._micro and self._world.switches.closes_micro

    # --- recall

    def answer_recall(self, *, joint: bool) -> None:
        """Give back everything that no request holds."""
        self.sync()
        for lease in self.bulk_leases():
            if lease.free_nano > 0:
                self._world.note("gave back on recall")
                self.give_back(lease, lease.free_nano, joint=joint)
        self.sync()

    def _recall(self, request: Request) -> None:
        draft = Draft(self)
        draft.wallet(
            request_recall(
                self.wallet,
                account_id=ACCOUNT,
                by=self.owner,
                wanted_nano=request.hold_nano,
                now_us=self._world.now_us(),
            )
        )
        self._submit(draft)
        self.sync()
        for gateway in self._world.awake():
            if gateway is self or self._world.switches.answers_recall:
                gateway.answer_recall(joint=request.joint)
        self.sync()
