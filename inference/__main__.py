"""`python -m inference`: serve the model that INFERENCE_MODEL_URI names. All settings come from the environment.

Exit codes: 0 after SIGTERM or Ctrl-C; 1 when the model or the address cannot be had; 2 when a setting is wrong.
"""

import gc
import sys

import structlog
from pydantic import ValidationError

from inference import contract
from inference.serving.logs import configure
from inference.settings import Settings


def main() -> int:
    """Serve until told to stop; give back the exit code."""
    try:
        settings = Settings()  # type: ignore[call-arg] # the environment has the argument
    except ValidationError as error:
        configure("info")
        for found in error.errors():
            name = "".join(str(part) for part in found["loc"])
            structlog.get_logger().error(
                "start failed", error=f"{contract.ENV_PREFIX}{name.upper()}: {found['msg']}", value=_value(found)
            )
        return 2
    configure(settings.log_level)
    # A wrong setting is reported without loading a web framework.
    from inference.serving.application import create_app  # noqa: PLC0415
    from inference.serving.server import Server, listen  # noqa: PLC0415

    try:
        listener = listen(settings.host, settings.port, settings.backlog)
    except OSError as error:
        structlog.get_logger().error(
            "start failed", error=f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        )
        return 1
    server = Server(create_app(settings))
    gc.freeze()  # what is loaded by now stays: the collector need not look at it again and again
    gc.set_threshold(50_000)  # nor, again and again, at what a large body is made of
    server.run(sockets=[listener])
    return server.exit_code


def _value(found: object) -> str:
    return repr(found["input"])[:100] if isinstance(found, dict) and found.get("type") != "missing" else "(missing)"


if __name__ == "__main__":
    sys.exit(main())
