"""One thin module per command: it reads options, calls the work, and prints the result."""
