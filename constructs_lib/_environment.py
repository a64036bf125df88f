"""Names of the service's environment variables, from its own settings: a rename there fails here, at synth."""

from constructs_lib.errors import PropsError
from inference import contract
from inference.settings import Settings


def env_name(field: str) -> str:
    """The variable that sets a field of `inference.settings.Settings`.

    Raises:
        PropsError: the service has no such setting.
    """
    if field not in Settings.model_fields:
        raise PropsError(f"'{field}' is no field of inference.settings.Settings: the service would not read it")
    return f"{contract.ENV_PREFIX}{field.upper()}"
