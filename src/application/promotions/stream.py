"""Batches of codes and their codes at this moment."""

from uuid import UUID

from application.command import load
from application.eventlog import EventStore
from domain.promotions import batch as rules
from domain.promotions.batch import Batch, Code, batch_stream, code_stream


def load_batch(store: EventStore, batch_id: UUID) -> Batch | None:
    return load(store, batch_stream(batch_id), None, rules.evolve)


def load_code(store: EventStore, code_hash: str) -> Code | None:
    return load(store, code_stream(code_hash), None, rules.evolve_code)
