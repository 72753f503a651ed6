"""Read models: rebuilt from the log at any time, exactly once, and never asked when money is decided."""
