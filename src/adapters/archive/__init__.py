"""The archive as a directory of compressed files."""
