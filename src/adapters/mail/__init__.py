"""Mails: the queue in Postgres, their form on the wire, and the ways that they leave by."""
