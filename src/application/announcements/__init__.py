"""What operators tell their customers."""
