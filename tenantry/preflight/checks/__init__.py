"""The checks, one module per subject. A check yields findings and changes nothing."""
