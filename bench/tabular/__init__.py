"""Compare the service with its alternatives on a model of records: gradient boosting."""
