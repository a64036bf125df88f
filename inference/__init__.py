"""The model service: models are data, answers come over HTTP, every request is measured."""
