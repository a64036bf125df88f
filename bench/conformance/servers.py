"""The servers that the kit is run against: how each is installed, started, and started without its model."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from bench.serving.systems import PEERS, install

HOST: Final = "127.0.0.1"
FOLDER: Final = Path("build/conformance")
TENSORS: Final = PEERS / "tensors.json"
"""The model that the peers serve: name, data type and shape of its inputs, which come back as outputs."""
_START_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 20.0


class ServerError(Exception):
    """A server does not start; the text names its log."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One of them.

    Attributes:
        name: Short; that of its environment, of its folder in `bench/peers`, and of its report.
        title: What the table says.
        model: Name of the model.
        command: What starts it on a port.
        environment: Variables that it needs.
        loading: Variables that keep its model from being loaded; None: it cannot be started so.
        note: What a reader has to know about how it was run.
    """

    name: str
    title: str
    model: str
    command: Callable[[int], list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    loading: dict[str, str] | None = None
    note: str = ""

    def install(self, say: Callable[[str], None]) -> None:
        """Give it its environment, unless it has it or needs none."""
        install(self.name, FOLDER, say)

    @contextmanager
    def running(self, port: int, *, loading: bool = False) -> Iterator[str]:
        """Its address, while it runs; with `loading`, without its model.

        Raises:
            ServerError: it ends, or is not ready in time.
        """
        url, log = f"http://{HOST}:{port}", FOLDER / f"{self.name}-{port}.log"
        variables = os.environ | self.environment | (self.loading or {} if loading else {})
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(port), env=variables, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            path = "/v2/health/live" if loading else f"/v2/models/{self.model}/ready"
            if not _answers(process, f"{url}{path}"):
                raise ServerError(f"{self.title} does not start; see {log}")
            yield url
        finally:
            _stop(process)


def servers(model: Path) -> list[Server]:
    """All of them; `model` is the folder of the model that this service serves."""
    python = {name: str(FOLDER / name / "bin" / "python") for name in ("kserve", "pytriton", "aissemble")}
    return [
        Server(
            name="tenantry",
            title="Tenantry",
            model="spam",
            command=lambda port: ["env", f"INFERENCE_PORT={port}", sys.executable, "-m", "inference"],
            environment={
                "INFERENCE_MODEL_URI": model.absolute().as_uri(),
                "INFERENCE_HOST": HOST,
                "INFERENCE_DRAIN_NOTICE_SECONDS": "0",
            },
            loading={
                "INFERENCE_MODEL_URI": "s3://models/nobody/spam",
                "AWS_ENDPOINT_URL": f"http://{HOST}:9",
                "AWS_ACCESS_KEY_ID": "nobody",
                "AWS_SECRET_ACCESS_KEY": "nothing",
                "AWS_ALLOW_HTTP": "true",
            },
            note="a text classifier: one input of BYTES, so the cases of other data types do not apply",
        ),
        Server(
            name="pytriton",
            title="Triton",
            model="echo",
            command=lambda port: [python["pytriton"], str(PEERS / "pytriton" / "serve.py"), str(port), str(TENSORS)],
            # Triton's Python backend loads libpython by name: it must be the one that the environment was made from.
            environment={"LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR"))},
            note="started by PyTriton 0.7.0, which installs it from PyPI; a model in Python gives the inputs back",
        ),
        Server(
            name="kserve",
            title="KServe's Python server",
            model="echo",
            command=lambda port: [python["kserve"], str(PEERS / "kserve" / "serve.py"), str(port), str(TENSORS)],
            note="a model in Python gives the inputs back; the server leaves checks of tensors to the model, "
            "and does not start before its model is ready",
        ),
        Server(
            name="mlserver",
            title="MLServer",
            model="echo",
            command=_mlserver,
            loading={"LOADING": "1"},
            note="a runtime in Python gives the inputs back through MLServer's codecs; "
            "the server leaves checks of tensors to the runtime",
        ),
        Server(
            name="aissemble",
            title="aiSSEMBLE's OIP server",
            model="echo",
            command=lambda port: [python["aissemble"], str(PEERS / "aissemble" / "serve.py"), str(port), str(TENSORS)],
            environment={"AUTH_ENABLED": "false"},
            note="version 1.1.0 of its package; a handler in Python gives the inputs back; "
            "the server leaves unknown models to the handler",
        ),
    ]


def _mlserver(port: int) -> list[str]:
    """MLServer's command, with a folder of settings for this port.

    Its codecs make a column of what has one dimension, so the metadata says so.
    """
    folder = FOLDER / f"mlserver-{port}"
    folder.mkdir(parents=True, exist_ok=True)
    ports = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    described = json.loads(TENSORS.read_text())
    tensors = [
        {"name": name, "datatype": kind, "shape": shape if len(shape) > 1 else [*shape, 1]}
        for name, (kind, shape) in described.items()
    ]
    settings = {"host": HOST, "parallel_workers": 0, "debug": False, **ports}
    model = {
        "name": "echo",
        "implementation": "echo.Echo",
        "platform": "python_echo",
        "versions": ["1"],
        "parameters": {"version": "1"},
        "inputs": tensors,
        "outputs": tensors,
    }
    folder.joinpath("settings.json").write_text(json.dumps(settings))
    folder.joinpath("model-settings.json").write_text(json.dumps(model))
    shutil.copy(PEERS / "mlserver" / "echo.py", folder)
    return [str(FOLDER / "mlserver" / "bin" / "mlserver"), "start", str(folder)]


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False, timeout=5).is_success:
                return True
        time.sleep(0.2)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it started, which have its process group."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):  # nothing is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
