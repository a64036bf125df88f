"""Who calls: API keys, and what is counted for each caller."""
