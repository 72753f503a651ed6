"""The JSON API of customers, under `/api`: one account, and only what it may see and do."""
