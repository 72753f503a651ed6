"""Kept bodies on Postgres, and the thread that keeps them."""
