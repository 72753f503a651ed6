"""Budgets: how much a key, or an account, may spend in a window of time."""
