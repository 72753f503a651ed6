"""The table of commands in parts, by what they are about."""
