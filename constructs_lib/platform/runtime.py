"""What runs a tenant's model: the image, and the memory that its pods need."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

from constructs_lib.platform._quantities import byte_count, memory_text
from constructs_lib.platform._section import refusal, refuse, refuse_all
from constructs_lib.platform.service_memory import service_memory

Runtime = Literal["text", "onnx"]
"""One of the contract's RUNTIMES."""
_SUFFIX: Final = "-onnx"
"""What the tag of the image with ONNX Runtime has in addition to that of the image for texts."""


class Served(Protocol):
    """The part of a tenant that the rules of this module need."""

    @property
    def image(self) -> str:
        """Image of the service."""

    @property
    def runtime(self) -> Runtime:
        """What runs the model."""


def runtime_image(image: str, runtime: object, onnx_image: str | None = None) -> str:
    """Return the image of a tenant that does not set its own.

    Args:
        image: the platform's, for texts.
        runtime: of the tenant.
        onnx_image: the platform's, for ONNX models; None: the same tag with `-onnx`, if `image` has no digest.
    """
    if runtime != "onnx":
        return image
    return onnx_image or (image if "@" in image else f"{image}{_SUFFIX}")


def with_runtime_image(tenant: Mapping[str, Any], own: Mapping[str, Any], settings: Any) -> dict[str, Any]:
    """Complete a tenant, which has the platform's image unless `own` sets another, with the image of its runtime."""
    image = tenant.get("image")
    if "image" in own or not isinstance(image, str):
        return dict(tenant)
    onnx_image = settings.get("onnxImage", settings.get("onnx_image")) if isinstance(settings, Mapping) else None
    return {**tenant, "image": runtime_image(image, tenant.get("runtime"), onnx_image)}


def check_runtimes(tenants: Sequence[Served], image: str) -> None:
    """Check that tenants with runtime `onnx` do not have the platform's image for texts."""
    refuse_all(
        [
            refusal(
                "needs an image with ONNX Runtime, whose name does not follow from the digest of the platform's image",
                "set platform.onnxImage",
                at=("tenants", index, "runtime"),
            )
            for index, tenant in enumerate(tenants)
            if tenant.runtime == "onnx" and tenant.image == image
        ]
    )


def memory_beyond(model_memory: int | str, available: str) -> str | None:
    """Return the most memory that a pod takes with a model, if that is more than `available`; otherwise None.

    Args:
        model_memory: peak memory of the model, in bytes or as a quantity.
        available: the limit or the request of a pod, such as `512Mi`.
    """
    model_bytes = byte_count(model_memory) if isinstance(model_memory, str) else model_memory
    needed = service_memory({}, model_bytes=model_bytes)
    return memory_text(needed) if needed > byte_count(available) else None


def check_model_memory(model_memory: str, limit: str) -> None:
    """Check that a pod with this model stays below its memory limit."""
    if needed := memory_beyond(model_memory, limit):
        refuse(
            f"must leave a pod below its memory limit ({limit}), but the service with this model can take {needed}",
            "raise resources.limits.memory, or serve a smaller model",
        )
