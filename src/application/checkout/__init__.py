"""Payment providers: pages on which orders are paid, and what becomes of their messages."""
