"""Where exports go: folders that are seen once they are whole."""
