"""Requests for answers of models that carry an idempotency key: charged once, and answered the same again. ADR 45."""
