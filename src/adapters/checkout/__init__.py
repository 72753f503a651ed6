"""Payment providers, and the queue of their messages."""
