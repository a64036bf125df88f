"""The two routes that predict: from the bytes of a request's body to the bytes of an answer, without FastAPI."""
