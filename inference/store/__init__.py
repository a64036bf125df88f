"""Where models are kept: addresses, the S3 bucket, published versions, and loading one into a process."""
