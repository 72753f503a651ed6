"""What a scrape tells of mails."""

from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from adapters.mail.metrics import MailCollector
from adapters.mail.outbox import PostgresOutbox
from adapters.vault.personal_data import PostgresPersonalData
from adapters.vault.session import Pool
from tests.adapters.mail.test_outbox import KEYS, NOW, REST
from tests.application.mail.samples import mail
from tests.fakes import ManualClock


def test_mails_that_have_not_left_are_counted_and_parked_ones_have_an_age(pool: Pool) -> None:
    """Those that left are not; without any there are zeros, so that an alarm has something to look at."""
    registry, clock = CollectorRegistry(), ManualClock(NOW)
    registry.register(MailCollector(pool, clock=clock))

    def told() -> tuple[float | None, ...]:
        counts = [
            registry.get_sample_value("tokenok_mails", {"state": state})
            for state in ("waiting", "handing_over", "parked")
        ]
        return (*counts, registry.get_sample_value("tokenok_mails_parked_oldest_seconds"))

    assert told() == (0, 0, 0, 0)
    outbox = PostgresOutbox(pool, PostgresPersonalData(pool, KEYS))
    for number in range(3):
        assert outbox.put(mail(mail_id=UUID(int=number)), now_us=NOW)
    for outcome in ("parked", "sent"):
        held = outbox.claim(now_us=NOW, rest_us=REST)
        assert held is not None
        outbox.settle(held, state=outcome, now_us=NOW, reason="refused")  # type: ignore[arg-type]  # two of the states
    clock.us = NOW + 2_500_000
    assert told() == (1, 0, 1, pytest.approx(2.5))
