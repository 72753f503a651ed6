"""Recharges that the system orders: their rule and way to pay, and the rounds that place and pay the orders."""
