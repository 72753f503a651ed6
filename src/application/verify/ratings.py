"""Rates every charge again from its event and the price list alone: who disputes a charge can do the sum.

Holds the published price lists, of which there are few, and nothing of any request.
"""

from typing import Final, NamedTuple

from application.verify.ledger import Stored
from application.verify.report import Findings
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.ledger.charges import UsageReportedLate
from domain.ledger.events import UsageCharged
from domain.pricing import NO_MARKUP_PPM, Price, charge_nano, combined_ppm

_CODE: Final = "P12"


class _Listed(NamedTuple):
    price: Price
    markup_ppm: int
    factors_ppm: frozenset[int]


class RatingCheck:
    """Feed it every event in the order of the log; it looks at publications and at charges."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._listed: dict[tuple[int, str], _Listed] = {}  #: by version and alias

    def publish(self, at: Stored, event: PriceListPublished) -> None:
        """Take prices in; charges that name this version come later in the log."""
        if at.stream_id != PRICE_LIST_STREAM:
            self._findings.add("L03", position=at.position, subject=at.stream_id, detail="not the price list")
            return
        for alias, price in event.entries.items():
            self._listed[at.version, alias] = _Listed(price, event.markup_ppm, _factors_ppm(price))

    def check(self, at: Stored, event: UsageCharged) -> None:
        """Compare a charge and what the operator bore with the rating of its units."""
        rated_nano = self._rated_nano(at, event)
        if rated_nano is None:
            return
        cut_nano = min(rated_nano, event.hold_nano)
        if (event.charge_nano, event.shortfall_nano) != (cut_nano, rated_nano - cut_nano):
            self._tell(
                at,
                event,
                f"charge {event.charge_nano} and shortfall {event.shortfall_nano}, "
                f"should be {cut_nano} and {rated_nano - cut_nano}",
            )

    def check_late(self, at: Stored, event: UsageReportedLate) -> None:
        """Compare what usage that was told late is said to cost with its rating."""
        rated_nano = self._rated_nano(at, event)
        if rated_nano not in {None, event.rated_nano}:
            self._tell(at, event, f"rated at {event.rated_nano}, should be {rated_nano}")

    def _rated_nano(self, at: Stored, event: UsageCharged | UsageReportedLate) -> int | None:
        listed = self._listed.get((event.price_version, event.alias))
        if listed is None:
            self._tell(at, event, f"{event.alias!r} has no price in version {event.price_version}")
            return None
        factor_ppm = event.factor_ppm or NO_MARKUP_PPM
        if factor_ppm not in listed.factors_ppm:
            self._tell(at, event, f"factor {factor_ppm} is not one of its price")
        return charge_nano(event.units, listed.price, listed.markup_ppm, factor_ppm=factor_ppm)

    def _tell(self, at: Stored, event: UsageCharged | UsageReportedLate, detail: str) -> None:
        self._findings.add(_CODE, position=at.position, subject=f"request {event.request_id}", detail=detail)


def _factors_ppm(price: Price) -> frozenset[int]:
    """Every factor that an hour and a service tier can make together."""
    hours = {NO_MARKUP_PPM, *(window.factor_ppm for window in price.windows)}
    tiers = {NO_MARKUP_PPM, *price.service_tiers.values()}
    return frozenset(combined_ppm(hour, tier) for hour in hours for tier in tiers)
