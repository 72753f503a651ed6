"""What may be asked of the past: usage, statements, the books. For showing; nothing about money is decided from it."""
