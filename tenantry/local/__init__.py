"""What commands do on this machine: serve tenants, run Prometheus beside them, send traffic."""
