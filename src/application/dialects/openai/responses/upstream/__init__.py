"""Asks a provider that offers responses only, for clients that speak chat completions or something else."""
