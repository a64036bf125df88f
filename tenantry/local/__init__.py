"""Local runs: serve tenants on the loopback, run Prometheus and Alertmanager, send traffic."""
