"""What the image for ONNX models is, holds and does, where it differs from the image for texts."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from inference import contract
from tests import onnx_artifacts
from tests.image.conftest import Image, docker, readable_by_all, serving

RECORD = {"age": 30, "children": 1, "city": "Wien"}


@pytest.fixture(scope="module")
def onnx_image(build: Callable[..., Image]) -> Image:
    """The image as the release builds it, or the one that IMAGE_UNDER_TEST names."""
    given = os.environ.get("IMAGE_UNDER_TEST")
    return Image(given) if given else build("--target", "onnx")


@pytest.fixture(scope="module")
def onnx_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an ONNX model that anybody may read."""
    folder = tmp_path_factory.mktemp("models") / "credit"
    return readable_by_all(onnx_artifacts.written(onnx_artifacts.credit(), folder))


def test_two_builds_hold_the_same_files(onnx_image: Image, build: Callable[..., Image]) -> None:
    """Nothing of the day or of the machine gets in: paths, modes, owners and bytes are equal."""
    first, second = onnx_image.files(), build("--no-cache", "--target", "onnx").files()
    assert len(first) > 1000
    assert sorted(path for path in first | second if first.get(path) != second.get(path)) == []


def test_runs_as_the_contract_says(onnx_image: Image) -> None:
    """User, port and command are those of the image for texts. It serves ONNX models, and sends no usage data."""
    config = onnx_image.config
    assert config["User"] == f"{contract.USER_ID}:{contract.USER_ID}"
    assert list(config["ExposedPorts"]) == [f"{contract.PORT}/tcp"]
    assert config["Cmd"] == ["env", "--block-signal=TERM,INT", "python", "-m", "inference"]
    assert {f"{contract.ENV_PREFIX}RUNTIME=onnx", "ORT_DISABLE_TELEMETRY=1"} <= set(config["Env"])


def test_holds_the_runtime_and_no_package_that_trains_or_installs(onnx_image: Image) -> None:
    names = (
        "onnxruntime",
        "numpy",
        "onnx",
        "pip",
        "setuptools",
        "wheel",
        "sklearn",
        "scipy",
        "pandas",
        "Cython",
        "cdk8s",
    )
    code = f"import importlib.util\nfor name in {names}:\n  if importlib.util.find_spec(name): print(name)"
    assert onnx_image.run("python", "-c", code).split() == ["onnxruntime", "numpy"]


def test_answers_with_a_read_only_root_and_no_rights(onnx_image: Image, onnx_model: Path) -> None:
    """It serves an ONNX model from a mounted folder, and ends by itself when it is asked to."""
    with serving(onnx_image, onnx_model) as service:
        answer = httpx.post(service.url + contract.PREDICT_PATH, json={"inputs": [RECORD]}, trust_env=False)
        assert answer.status_code == httpx.codes.OK, answer.text
        metrics = httpx.get(service.url + contract.METRICS_PATH, trust_env=False).text
        assert re.search(rf'{contract.BUILD_INFO}{{[^}}]*scorer="onnxruntime ', metrics)
        docker("stop", "--time", "10", service.id)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", service.id) == "0", service.logs()
