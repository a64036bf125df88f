"""Random policy sets on a live cluster: applied, probed pair by pair once settled, and compared with the audit."""
