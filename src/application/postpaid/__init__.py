"""Limits for buying on account, and what is owed within them."""
