"""What every suite through a running gateway ends with: its ledger, refolded from the log."""

from adapters.eventstore.store import PostgresEventStore
from application.verify import render_text, verify
from domain.topics import REGISTRY


def require_sound_ledger(database_url: str) -> None:
    """Every charge can be made again from the log alone, and every invariant holds."""
    store = PostgresEventStore(database_url)
    try:
        report = verify(store, REGISTRY)
    finally:
        store.close()
    assert report.ok, render_text(report)
    assert report.figures.requests
