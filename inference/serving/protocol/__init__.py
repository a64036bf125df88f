"""The Open Inference Protocol v2 over REST, as https://github.com/open-inference-protocol specifies it."""
