"""Telling customers what happened to their accounts: from the log to their endpoints."""
