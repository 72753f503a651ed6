"""People and how they sign in to the console."""
