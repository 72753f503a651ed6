"""Chat completions of an upstream as objects, for clients that speak something else."""
