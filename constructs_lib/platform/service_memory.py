"""Whether a pod's memory limit holds the service, by the service's own formula (docs/service.md)."""

from collections.abc import Mapping

from constructs_lib.platform._quantities import byte_count, memory_text
from constructs_lib.platform._section import refuse
from constructs_lib.platform.workload import Resources
from inference.settings import MEMORY_SETTINGS, MODEL_BYTES, Settings, memory_bytes

_MEBIBYTE = 2**20


def service_memory(settings: Mapping[str, str], *, model_bytes: int = MODEL_BYTES) -> int:
    """Return the most bytes that the service takes, in whole mebibytes.

    Args:
        settings: values of the settings that differ from their defaults, by field.
        model_bytes: the most that the model takes.
    """
    values = {name: int(settings.get(name, Settings.model_fields[name].default)) for name in MEMORY_SETTINGS}
    return -(-memory_bytes(**values, model_bytes=model_bytes) // _MEBIBYTE) * _MEBIBYTE


def check_service_memory(resources: Resources) -> None:
    """Refuse a memory limit that the service can exceed with its default settings."""
    required = service_memory({})
    if byte_count(resources.limits.memory) < required:
        found = memory_text(required)
        refuse(
            f"must be at least {found}, which is the most that the service takes with its default settings",
            f"raise it to {found} or more",
            at=("limits", "memory"),
        )
