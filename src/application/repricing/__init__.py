"""Charges of the past by other prices: a plan to look at, and its adjustments."""
