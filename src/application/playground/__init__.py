"""Trying models from the console, as a customer's program would: through a gateway, with a key of its own."""
