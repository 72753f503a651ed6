"""Requests and answers that are kept for operators to read: off unless an account's operator has said so. ADR 42."""
