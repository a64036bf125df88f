"""Loading a model: every file that is not a model ends it with one line; only an absent store is retried."""

import asyncio
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from inference.errors import ArtifactError, InferenceError, StoreError, StoreUnavailableError
from inference.model.artifact import Artifact, write
from inference.model.interface import TextModel
from inference.model.manifest import MANIFEST_FILE, WEIGHTS_FILE
from inference.settings import Settings
from inference.store import loading
from inference.store.fetch import fetch
from inference.store.loading import load_model
from tests import onnx_artifacts
from tests.service import service


def _load(uri: str) -> TextModel:
    settings = Settings(model_uri=uri, load_retry_seconds=0.001, load_retry_max_seconds=0.001)
    model = asyncio.run(asyncio.wait_for(load_model(settings), timeout=30))
    assert isinstance(model, TextModel)
    return model


def _load_or_refuse(folder: Path, files: Mapping[str, bytes]) -> TextModel | str:
    """The model of these files, or the line that loading them ends with; a log must be able to show it."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        return _load(str(folder))
    except StoreUnavailableError:
        raise
    except InferenceError as error:
        line = str(error)
    assert line.isprintable()
    assert len(line) < 600
    return line


def _resealed(artifact: Artifact, manifest: object | None = None, weights: bytes | None = None) -> dict[str, bytes]:
    """Files whose digests agree, so that whatever is wrong in them is reached."""
    found: Any = json.loads(artifact.manifest_bytes) if manifest is None else manifest
    weights = artifact.weights if weights is None else weights
    if isinstance(found, dict) and isinstance(found.get("weights"), dict):
        found["weights"] |= {"sha256": hashlib.sha256(weights).hexdigest(), "bytes": len(weights)}
    return {MANIFEST_FILE: json.dumps(found).encode(), WEIGHTS_FILE: weights}


def test_loads_a_model_from_a_folder(tiny_artifact: Artifact, tmp_path: Path) -> None:
    write(tmp_path, tiny_artifact)
    assert _load(str(tmp_path)).digest == tiny_artifact.digest


@pytest.mark.parametrize("manifest", [b"\xff", b"[" * 100_000, b"", b'{"format":' * 50_000, b"\x00" * 10])
def test_a_hostile_manifest_ends_loading(tiny_artifact: Artifact, tmp_path: Path, manifest: bytes) -> None:
    line = _load_or_refuse(tmp_path, {**tiny_artifact.files(), MANIFEST_FILE: manifest})
    assert isinstance(line, str)
    assert "manifest.json" in line


def test_every_mutation_of_a_manifest_loads_or_ends_loading(tiny_artifact: Artifact, tmp_path: Path) -> None:
    """One value after the other is replaced by each of some odd ones."""
    odd: list[Any] = [None, -1, 2**70, 1e308, "", "\x00", "A" * 10_000, [], {}, [[]], True, "\u202e", "\ud800"]
    original = json.loads(tiny_artifact.manifest_bytes)
    numbers = random.Random(3)  # noqa: S311 - no secret
    for path in _paths(original):
        manifest = json.loads(tiny_artifact.manifest_bytes)
        _replace(manifest, path, numbers.choice(odd))
        _loads_or_ends(tmp_path, _resealed(tiny_artifact, manifest))


def test_every_mutation_of_the_weights_loads_or_ends_loading(tiny_artifact: Artifact, tmp_path: Path) -> None:
    """Flipped, cut, doubled and overwritten bytes, with digests that agree."""
    numbers = random.Random(4)  # noqa: S311 - no secret
    for _ in range(300):
        weights = bytearray(tiny_artifact.weights)
        for _ in range(numbers.randint(1, 4)):
            begin = numbers.randrange(min(len(weights), numbers.choice([8, 400, len(weights)])))
            kind = numbers.randrange(4)
            if kind == 0:
                weights[begin] ^= 1 << numbers.randrange(8)
            elif kind == 1:
                del weights[begin : begin + numbers.randint(1, 64)]
            elif kind == 2:
                weights[begin:begin] = weights[begin : begin + numbers.randint(1, 64)]
            else:
                weights[begin : begin + 8] = numbers.choice(
                    [b"\xff" * 8, b"\x00" * 8, b"[[[[[[[[", b"\n" * 8, b" " * 8]
                )
        _loads_or_ends(tmp_path, _resealed(tiny_artifact, weights=bytes(weights)))


def _loads_or_ends(folder: Path, files: Mapping[str, bytes]) -> None:
    model = _load_or_refuse(folder, files)
    assert isinstance(model, str) or sum(model.predict("win money now").probabilities) == pytest.approx(1)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in items for found in ((*path, key), *_paths(each, (*path, key)))]


def _replace(value: Any, path: tuple[Any, ...], new: object) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("deep"), ValueError("A" * 10_000), SystemExit(3)])
def test_any_other_error_ends_loading_too(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(loading, "fetch", fail)
    with pytest.raises(ArtifactError, match=f"the model at /models cannot be loaded: {type(error).__name__}") as caught:
        _load("/models")
    assert len(str(caught.value)) < 300


def test_only_an_absent_store_is_retried(
    tiny_artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, tiny_artifact)
    errors: list[Exception] = [StoreUnavailableError("away"), StoreUnavailableError("still away")]

    def stumble(uri: str) -> Any:
        if errors:
            raise errors.pop(0)
        return fetch(uri)

    monkeypatch.setattr(loading, "fetch", stumble)
    with structlog.testing.capture_logs() as logs:
        assert _load(str(tmp_path)).digest == tiny_artifact.digest
    assert [(log["event"], log.get("error")) for log in logs] == [
        ("model store unavailable", "away"),
        ("model store unavailable", "still away"),
        ("model loaded", None),
    ]
    errors.append(StoreError("no such key"))
    with pytest.raises(StoreError, match="no such key"):
        _load(str(tmp_path))


def test_the_runtime_of_the_process_decides_which_models_load(tmp_path: Path, tiny_artifact: Artifact) -> None:
    """A process for texts refuses an ONNX model, and the reverse, each with the runtime that is needed."""
    onnx = str(onnx_artifacts.written(onnx_artifacts.credit(), tmp_path / "onnx"))
    write(tmp_path / "text", tiny_artifact)
    model = asyncio.run(load_model(Settings(model_uri=onnx, runtime="onnx")))
    assert model.scorer_kind.startswith("onnxruntime ")
    with pytest.raises(ArtifactError, match="'credit' is an ONNX model; serve it with runtime 'onnx'"):
        asyncio.run(load_model(Settings(model_uri=onnx)))
    with pytest.raises(ArtifactError, match="is a text model; serve it with runtime 'text'"):
        asyncio.run(load_model(Settings(model_uri=str(tmp_path / "text"), runtime="onnx")))


def test_a_process_that_is_killed_while_it_loads_leaves_a_model_that_loads_again(tmp_path: Path) -> None:
    """Loading only reads: whenever it ends, the next process finds the same bytes and serves them."""
    folder = onnx_artifacts.written(onnx_artifacts.credit(), tmp_path / "model")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with service(folder, tmp_path / "killed", wait="", runtime="onnx") as killed:
        while "serving" not in killed.log.read_text() and killed.process.poll() is None:
            pass
        assert killed.stop(signal.SIGKILL) == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with service(folder, tmp_path / "log", runtime="onnx") as running:
        assert httpx.get(f"{running.url}/v2/models/credit", trust_env=False).status_code == 200


def test_onnx_runtime_sends_no_usage_data() -> None:
    """The variable that stops it is set before its import, whatever the environment says."""
    program = "import os; import inference.model.onnx_model; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
