"""HTTP/1.1: reads requests within limits, answers each connection's requests in order, starts and stops the process."""
