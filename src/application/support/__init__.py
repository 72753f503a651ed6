"""Commands with which support looks into a customer's workspace."""
