"""Endpoints of customers, to which we tell what happened to their account."""
