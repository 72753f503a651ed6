"""How deployments and credentials are doing, as facts: every process learns it from the log, without Redis."""
