"""The model service: models are data, answers come over HTTP, every request is measured."""

__version__ = "0.1.0"
"""The same as pyproject.toml's; the image has no package metadata to read it from."""
