"""Charges of the past: reviewed where they were held, and corrected by usage that a provider told late."""
