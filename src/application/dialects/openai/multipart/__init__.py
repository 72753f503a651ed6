"""Forms with files, read and rewritten as they come: no file is ever held."""
