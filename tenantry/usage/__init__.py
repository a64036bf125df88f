"""What tenants and their callers have used, from the counters that Prometheus has stored."""
