"""API keys: what customers hold."""
