"""What operators may do to budgets."""
