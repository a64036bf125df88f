"""Names of the service's environment variables, from its own settings, so that a rename there fails at synth."""

from typing import Annotated, Any

from pydantic import TypeAdapter

from constructs_lib.errors import PropsError, refusing
from inference import contract
from inference.settings import Settings


def env_name(field: str) -> str:
    """The environment variable of a field of `inference.settings.Settings`.

    Raises:
        PropsError: the service does not have this setting.
    """
    if field not in Settings.model_fields:
        raise PropsError(f"'name' ('{field}') must be a field of inference.settings.Settings; see docs/service.md")
    return f"{contract.ENV_PREFIX}{field.upper()}"


def check_setting(field: str, value: str) -> None:
    """Check that the service accepts a value of a setting.

    Raises:
        PropsError: the service does not have this setting, or refuses the value.
    """
    env_name(field)
    info = Settings.model_fields[field]
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    with refusing(field, value):
        TypeAdapter(kind).validate_strings(value)
