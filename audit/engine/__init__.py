"""Verdicts: whether traffic is allowed, denied or cannot be decided from the input, and why."""
