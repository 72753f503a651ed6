"""Exports of the ledger for auditors and accountants: the same log gives the same bytes, however it is read."""
