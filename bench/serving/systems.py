"""The systems under comparison: how each is started and called, and how its answers are read."""

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.serving.work import Expected, Work
from inference import api_keys

HOST: Final = "127.0.0.1"
PORT: Final = 8400
PEERS: Final = Path("bench/peers")
OURS: Final = "tenantry"
UNMETERED: Final = "unmetered"
KEYED: Final = "keyed"
NAIVE: Final = "naive"
CONSTANT: Final = "constant"
_KEY: Final = f"{api_keys.PREFIX}{'k' * 43}"


class BenchError(Exception):
    """A system cannot be measured: it does not start, ends, does not answer, or gives another answer."""


def _text_body(text: str) -> object:
    return {"text": text}


def _one_answer(answer: Any) -> Expected:
    return Expected(answer["prediction"], answer["confidence"])


@dataclass(frozen=True)
class System:
    """One system.

    Attributes:
        name: Short, and that of its environment and its folder in `bench/peers`.
        title: What the table and the picture say.
        command: What starts it, but for the program of its own environment.
        path: Where it is asked.
        environment: Variables that it needs.
        body: A text as the request's JSON.
        understand: The answer's JSON as label and confidence; None: it answers a constant.
        peer: Whether it is one of the servers that people use instead.
        headers: The headers of a request besides its content type.
    """

    name: str
    title: str
    command: tuple[str, ...]
    path: str
    environment: dict[str, str] = field(default_factory=dict)
    body: Callable[[str], object] = _text_body
    understand: Callable[[Any], Expected] | None = _one_answer
    peer: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self, text: str) -> bytes:
        """The body of a request."""
        return json.dumps(self.body(text), ensure_ascii=False).encode()


def systems(work: Work, folder: Path) -> list[System]:
    """All systems, in the order in which they take turns; `folder` contains the peers' environments."""
    pipeline = str(work.pipeline_file.absolute())
    ours = {
        "INFERENCE_MODEL_URI": work.model.absolute().as_uri(),
        "INFERENCE_HOST": HOST,
        "INFERENCE_PORT": str(PORT),
        "INFERENCE_DRAIN_NOTICE_SECONDS": "0",
    }
    uvicorn = ("-m", "uvicorn", "--host", HOST, "--port", str(PORT), "--no-access-log", "--log-level", "warning")
    python = {name: str(folder / name / "bin" / "python") for name in (NAIVE, "mlserver", "bentoml")}
    return [
        System(
            name=NAIVE,
            title="naive: FastAPI, pydantic, joblib",
            command=(python[NAIVE], *uvicorn, "--app-dir", str(PEERS / NAIVE), "service:app"),
            path="/predict",
            environment={"PIPELINE": pipeline},
        ),
        System(
            name="mlserver",
            title="MLServer, adaptive batching",
            command=(
                str(folder / "mlserver" / "bin" / "mlserver"), "start",
                str(mlserver_folder(folder, "spam", "runtime.Spam", pipeline)),
            ),
            path="/v2/models/spam/infer",
            body=lambda text: {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}]},
            understand=protocol_answer,
            peer=True,
        ),
        System(
            name="bentoml",
            title="BentoML, batching",
            command=(
                python["bentoml"], "-m", "bentoml", "serve", "service:Spam", "--working-dir", str(PEERS / "bentoml"),
                "--host", HOST, "--port", str(PORT),
            ),
            path="/predict",
            environment={"PIPELINE": pipeline, "BENTOML_DO_NOT_TRACK": "True"},
            body=lambda text: {"texts": [text]},
            understand=lambda answer: _one_answer(answer[0]),
            peer=True,
        ),
        System(
            name=OURS,
            title="Tenantry, as deployed",
            command=(sys.executable, "-m", "inference"),
            path="/predict",
            environment=ours,
        ),
        System(
            name=UNMETERED,
            title="Tenantry without its metrics",
            command=(sys.executable, "-m", "bench.peers.unmetered"),
            path="/predict",
            environment=ours,
        ),
        System(
            name=KEYED,
            title="Tenantry with an API key and a limit per caller",
            command=(sys.executable, "-m", "inference"),
            path="/predict",
            environment=ours | _limited(folder / "keys"),
            headers={"Authorization": f"Bearer {_KEY}"},
        ),
        System(
            name=CONSTANT,
            title="constant answer over ASGI, no model",
            command=(sys.executable, *uvicorn, "--lifespan", "off", "bench.peers.constant:app"),
            path="/predict",
            understand=None,
        ),
    ]  # fmt: skip


def _limited(folder: Path) -> dict[str, str]:
    """Write a folder of keys with one caller; return the settings that require keys and limit each caller."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = api_keys.digest_of(_KEY.encode())
    folder.joinpath("bench").write_text(api_keys.entry_text([api_keys.ApiKey(digest)]))
    return {
        "INFERENCE_API_KEYS_DIR": str(folder.absolute()),
        "INFERENCE_LIMIT_REQUESTS_PER_SECOND": "1000000",  # which no run reaches
        "INFERENCE_LIMIT_BURST": "1000000",
        "INFERENCE_LIMIT_TEXTS_PER_MINUTE": "100000000",
    }


def install(name: str, folder: Path, say: Callable[[str], None]) -> None:
    """Install the environment of a system from its lock, unless it is installed or not needed.

    Raises:
        BenchError: pip fails; what it says has been printed.
    """
    requirements = PEERS / name / "requirements.lock"
    if not requirements.is_file():
        return
    lock = requirements.read_bytes()
    installed = folder / name / "installed.lock"
    if installed.is_file() and installed.read_bytes() == lock:
        return
    say(f"installing {name} (minutes, once)")
    shutil.rmtree(folder / name, ignore_errors=True)
    python = str(folder / name / "bin" / "python")
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--require-hashes")
    try:
        venv.create(folder / name, with_pip=True)
        subprocess.run([*pip, "--requirement", str(requirements)], check=True)
    except subprocess.CalledProcessError as error:
        raise BenchError(f"{name} cannot be installed: pip ends with {error.returncode}") from error
    installed.write_bytes(lock)


def mlserver_folder(folder: Path, name: str, implementation: str, pipeline: str) -> Path:
    """Write a folder for `mlserver start`: settings, the model's settings, the module and class of its runtime."""
    target = folder / f"mlserver-{name}"
    target.mkdir(parents=True, exist_ok=True)
    settings = {
        "host": HOST, "http_port": PORT, "grpc_port": PORT + 1, "metrics_port": PORT + 2, "parallel_workers": 0,
        "debug": False, "use_structured_logging": False,
    }  # fmt: skip
    model = {
        "name": name,
        "implementation": implementation,
        "parameters": {"uri": pipeline},
        "max_batch_size": 32,
        "max_batch_time": 0.001,
    }
    target.joinpath("settings.json").write_text(json.dumps(settings))
    target.joinpath("model-settings.json").write_text(json.dumps(model))
    shutil.copy(PEERS / "mlserver" / f"{implementation.partition('.')[0]}.py", target)
    return target


def protocol_answer(answer: Any) -> Expected:
    """The protocol's outputs `label` and `probabilities` of one text or row."""
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    return Expected(str(outputs["label"][0]), max(outputs["probabilities"]))
