"""The gateway: one client request from its key to its charge, through as many upstream attempts as it takes."""
