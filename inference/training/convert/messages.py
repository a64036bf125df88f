"""What messages about a step need."""

from typing import Any, Final

ONNX: Final = "it can be served as ONNX: convert it with skl2onnx, and import the .onnx file"


def kind(step: Any) -> str:
    """The name of the step's class."""
    return type(step).__name__
