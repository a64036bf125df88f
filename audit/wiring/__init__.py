"""References that lead nowhere: selectors without objects, ports without a container, budgets that block drains."""

from audit.wiring.broken import broken_references

__all__ = ["broken_references"]
