"""The money ledger: double entry for each currency, beside the credit ledger and joined to it by orders."""
