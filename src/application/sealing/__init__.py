"""Sealing at work: who follows the log and signs its tree, who reads proofs out of it, what a receipt is."""
