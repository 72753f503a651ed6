"""Buying credit: offers, orders, and what payment providers are seen to say about them."""
