"""What the base installation leaves out.

`tenantry[serve]` runs the service, `tenantry[train]` trains models, `tenantry[onnx]` imports and serves ONNX models.
"""

from importlib.util import find_spec
from typing import Final

from tenantry.errors import CommandError

EXTRAS: Final = {
    "serve": ("fastapi", "httptools", "prometheus_client", "starlette", "uvicorn", "uvloop"),
    "train": ("numpy", "sklearn"),
    "onnx": ("onnx", "onnxruntime"),
}
"""Top-level modules that each extra installs and the base does not."""


def missing_extra(error: BaseException) -> str | None:
    """One line that names the extra whose module could not be imported; None for any other error."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    module = error.name.partition(".")[0]
    return next((_message(extra) for extra, modules in EXTRAS.items() if module in modules), None)


def require_extra(extra: str) -> None:
    """Raise CommandError unless every module of the extra is installed, for work that another process does."""
    if any(find_spec(module) is None for module in EXTRAS[extra] if module != "uvloop"):
        raise CommandError(_message(extra))


def _message(extra: str) -> str:
    return f"this command needs the extra '{extra}': pip install 'tenantry[{extra}]'"
