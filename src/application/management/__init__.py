"""Commands about management keys: what customers' own programs use `/api` with."""
