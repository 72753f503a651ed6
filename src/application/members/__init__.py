"""Commands about the members of a customer's account."""
