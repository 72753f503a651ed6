"""Proof that the log is what it was: leaves, tree, checkpoints. Pure; an auditor can do all of it without this code."""
