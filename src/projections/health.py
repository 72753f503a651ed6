"""The health of the books, from what the last look at them found: implements `application.reports.health.HealthQueries`."""

from application.clock import Clock
from application.projections import Projections
from application.reports.health import BooksChecks, LedgerHealth, Verifications, faults_of
from application.reports.reviews import ReviewQueries


class HealthReader:
    """Reads a row or two for each read model, the queue of held charges, and no account and no hold."""

    def __init__(
        self,
        *,
        checks: BooksChecks,
        projections: Projections,
        verifications: Verifications,
        reviews: ReviewQueries,
        clock: Clock,
    ) -> None:
        self._checks = checks
        self._projections = projections
        self._verifications = verifications
        self._reviews = reviews
        self._clock = clock

    def health(self) -> LedgerHealth:
        check = self._checks.last()
        read_models = self._projections.status()
        verification = self._verifications.last()
        now_us = self._clock.now_us()
        queue = self._reviews.queue(now_us=now_us)
        since_us = now_us if check is None or check.oldest_hold_us is None else check.oldest_hold_us
        return LedgerHealth(
            faults=faults_of(
                check=check, read_models=read_models, last_verification=verification, now_us=now_us
            ),
            checked_us=check.checked_us if check else None,
            zero_sum_nano=check.zero_sum_nano if check else 0,
            drift_nano=check.drift_nano if check else 0,
            accounts_compared=check.accounts_compared if check else 0,
            open_holds=check.open_holds if check else 0,
            held_nano=check.held_nano if check else 0,
            oldest_hold_s=max(0.0, (now_us - since_us) / 1e6),
            read_models=read_models,
            last_verification=verification,
            reviews_waiting=queue.waiting,
            oldest_review_s=queue.oldest_s,
        )
