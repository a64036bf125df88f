"""The conformance kit against this service and against other servers."""
