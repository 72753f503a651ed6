"""Counting tokens locally with vendored vocabularies."""
