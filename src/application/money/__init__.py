"""The books in money: reconciled with payment providers, and shown."""
