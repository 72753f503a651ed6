"""What a gateway refused, summed up for the log."""
