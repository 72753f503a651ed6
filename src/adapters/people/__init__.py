"""What proves who somebody is: tables beside the log, password hashes and one-time codes."""
