"""Old parts of the log as files: written, verified, and only then out of the database. The log reads on through both."""
