"""Mails: what they say, the queue that they leave by, and how they are handed over. ADR 67 and 68."""
