"""Receipts as they are given out: to customers, and with more in them to operators."""
