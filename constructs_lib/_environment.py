"""Names of the service's environment variables, from its own settings, so that a rename there fails at synth."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import TypeAdapter

from constructs_lib.errors import PropsError
from constructs_lib.platform._quantities import byte_count, memory_text
from constructs_lib.platform.service_memory import service_memory
from constructs_lib.refusing import refusing
from inference import contract
from inference.settings import MEMORY_SETTINGS, Settings


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


def check_memory(settings: Mapping[str, str], limit: str) -> None:
    """Check that the service cannot exceed its memory limit because of settings that decide how much it holds.

    Args:
        settings: values of the settings that differ from their defaults, by field.
        limit: the memory limit of a pod, such as `512Mi`.

    Raises:
        PropsError: it could.
    """
    changed = [name for name in MEMORY_SETTINGS if name in settings]
    required = service_memory(settings)
    if changed and required > byte_count(limit):
        raise PropsError(
            f"'{changed[-1]}' ({settings[changed[-1]]}) must leave the pod below its memory limit ({limit}), but it"
            f" could take {memory_text(required)}; lower the setting or raise resources.limits.memory"
        )
