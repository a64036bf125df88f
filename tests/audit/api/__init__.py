"""Compares the audit with a real API server: `python -m tests.audit.api` writes `result.json`."""
