"""Names of the service's environment variables, from its own settings: a rename there fails here, at synth."""

from inference import contract


def env_name(field: str) -> str:
    """The variable that sets a field of `inference.settings.Settings`."""
    return f"{contract.ENV_PREFIX}{field}".upper()
