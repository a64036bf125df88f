"""`python -m inference`: serve the model that INFERENCE_MODEL_URI names. All settings come from the environment.

Exit codes: 0 after SIGTERM or Ctrl-C; 1 when the model cannot be loaded or the address cannot be used; 2 when a setting
is wrong.
"""

import os
import signal
import sys


def _end_at_once(_number: int, _frame: object) -> None:
    os._exit(0)


if __name__ == "__main__":
    # Until the server handles signals there is nothing to finish, and the imports below take time. In a container, a
    # signal that process 1 does not handle is lost; so the image's command starts Python with both signals blocked,
    # and one that arrived before this line is delivered now.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_at_once)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})

import gc

import structlog
from pydantic import ValidationError

from inference import contract
from inference.serving import logs
from inference.settings import Settings


def main() -> int:
    """Serve until a signal ends it; return the exit code."""
    try:
        settings = Settings()  # type: ignore[call-arg] # the environment has the argument
    except ValidationError as error:
        logs.configure("info")
        for found in error.errors():
            name = "".join(str(part) for part in found["loc"])
            structlog.get_logger().error(
                "start failed", error=f"{contract.ENV_PREFIX}{name.upper()}: {found['msg']}", value=_value(found)
            )
        return 2
    logs.configure(settings.log_level)
    # A wrong setting is reported without loading a web framework.
    from inference.serving.application import create_app  # noqa: PLC0415
    from inference.serving.http.server import Server, listen  # noqa: PLC0415

    try:
        listener = listen(settings.host, settings.port, settings.backlog)
    except OSError as error:
        structlog.get_logger().error(
            "start failed", error=f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        )
        return 1
    try:
        server = Server(create_app(settings))
    except ModuleNotFoundError as error:
        structlog.get_logger().error(
            "start failed",
            error=f"runtime '{settings.runtime}' needs the package {error.name}: use the image '{settings.runtime}', or"
            f" pip install 'tenantry[serve,{settings.runtime}]'",
        )
        return 1
    # The thread that decodes long bodies must not keep the event loop waiting: it offers the interpreter every 0.5 ms.
    sys.setswitchinterval(0.0005)
    gc.freeze()  # what is loaded by now stays: the collector need not look at it again and again
    gc.set_threshold(50_000)  # nor, again and again, at the parts of a large body
    server.run(sockets=[listener])
    return server.exit_code


def _value(found: object) -> str:
    return repr(found["input"])[:100] if isinstance(found, dict) and found.get("type") != "missing" else "(missing)"


if __name__ == "__main__":
    code = main()
    logs.flush()
    sys.exit(code)
