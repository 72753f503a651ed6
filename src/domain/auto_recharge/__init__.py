"""Recharges that the system orders: when an account's balance is low, with a way to pay that its customer has saved."""
