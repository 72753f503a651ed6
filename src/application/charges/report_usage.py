"""Take in the usage of a request that its provider told after the request had ended."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.charges.case import find_ended
from application.charges.storing import decide_charge
from application.command import Command, Done, Ports, new_event, stamp
from application.eventlog import NewEvent
from application.ledger.wallet_reader import load_wallet
from application.prices import published_price
from domain.fact import Actor
from domain.ledger import correcting
from domain.ledger.adjustments import AdjustmentState
from domain.ledger.charges import ChargeEvent, Ended, UsageReportedLate, UsageReportTaken, report_stream
from domain.ledger.correcting import LateUsage
from domain.ledger.events import Units
from domain.operators import Permission
from domain.pricing import NO_MARKUP_PPM, PriceInForce, charge_nano
from domain.refusal import AlreadyExists


class ReportLateUsage(Command, frozen=True, kw_only=True):
    """All that the request has used, each token in one of the first five counts, as in the price list."""

    permission: ClassVar[Permission] = "credit"

    request_id: UUID
    served_by: str
    report_ref: str
    reason: str
    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0
    images: int = 0
    audio_ms: int = 0
    characters: int = 0
    searches: int = 0
    cost_nano: int | None = None

    def units(self, ended: Ended) -> Units:
        """Images are priced as those of the charge were."""
        return Units(
            **{name: getattr(self, name) for name in _COUNTS},
            image_size=ended.units.image_size,
            image_quality=ended.units.image_quality,
        )


class UsageTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What followed. All amounts are zero if this report was taken before."""

    request_id: UUID
    rated_nano: int  #: what the usage costs
    charged_nano: int  #: what the customer pays more; negative: gets back
    shortfall_nano: int  #: what the operator bears more; negative: less
    correction: AdjustmentState | None  #: none if the customer pays what was charged
    done: Done


_COUNTS = frozenset(Units.__struct_fields__) & frozenset(ReportLateUsage.__struct_fields__)


def handle(command: ReportLateUsage, *, actor: Actor, ports: Ports) -> UsageTaken:
    """Rate it by the price of its time, and move the difference; each report of a provider counts once.

    Raises:
        NotFound: there is no such request.
        WrongState: it is open, or a correction of it waits for a second operator.
        AlreadyExists: something else was told under this id.
        BadField, UsageAbsurd: as `correcting.report_late`.
    """
    ended = find_ended(ports, command.request_id)
    at = stamp(ports, actor)
    price = published_price(ports.store, ended.price_version, ended.alias)
    factor_ppm = _factor_ppm(ended, price)
    units = command.units(ended)
    told = LateUsage(
        provider=command.served_by,
        report_ref=command.report_ref,
        units=units,
        cost_nano=command.cost_nano,
        reason=command.reason,
    )
    decided = decide_charge(
        ports,
        ended,
        lambda known: correcting.report_late(
            known.case,
            ended,
            known.standing,
            told,
            rated_nano=charge_nano(
                units, price.price, price.markup_ppm, factor_ppm=factor_ppm or NO_MARKUP_PPM
            ),
            factor_ppm=factor_ppm,
            available_nano=load_wallet(ports.store, ended.account_id).wallet.available_for_nano(
                None, at.now_us
            ),
            stamp=at,
        ),
        beside=lambda event: [_taken(ports, event)],
    )
    return _answer(ended, decided.event, decided.state, decided.done)


def _factor_ppm(ended: Ended, price: PriceInForce) -> int | None:
    """Of the charge; of a request that charged nothing, that of the hour: which service tier it had, nobody knows."""
    if ended.units.requests:
        return ended.factor_ppm
    window_ppm = price.price.window_ppm(ended.admitted_us)
    return None if window_ppm == NO_MARKUP_PPM else window_ppm


def _taken(ports: Ports, event: ChargeEvent) -> NewEvent:
    assert isinstance(event, UsageReportedLate)
    stream_id = report_stream(event.provider, event.report_ref)
    if ports.store.read_stream(stream_id):
        raise AlreadyExists("usage report", event.report_ref)
    taken = UsageReportTaken(
        provider=event.provider,
        report_ref=event.report_ref,
        request_id=event.request_id,
        occurred_us=event.occurred_us,
        actor=event.actor,
    )
    return new_event(stream_id, 1, taken)


def _answer(ended: Ended, event: ChargeEvent | None, state: AdjustmentState | None, done: Done) -> UsageTaken:
    if not isinstance(event, UsageReportedLate):
        return UsageTaken(
            request_id=ended.request_id,
            rated_nano=0,
            charged_nano=0,
            shortfall_nano=0,
            correction=None,
            done=done,
        )
    return UsageTaken(
        request_id=ended.request_id,
        rated_nano=event.rated_nano,
        charged_nano=event.charge_nano - event.charge_before_nano,
        shortfall_nano=event.shortfall_nano - event.shortfall_back_nano,
        correction=state,
        done=done,
    )
