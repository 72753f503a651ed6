"""The parts of the command line tool; `cli.main` puts them together."""
