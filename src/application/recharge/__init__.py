"""Buying credit: commands of customers and operators, and what payment providers report."""
