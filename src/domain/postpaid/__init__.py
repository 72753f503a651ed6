"""Buying on account: credit at once, by an invoice that is paid later, up to a limit that two operators have agreed to."""
