"""Commands about periods of the books."""
