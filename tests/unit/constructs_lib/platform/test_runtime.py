"""The runtime of a tenant in platform.yaml: which image it selects, and what is refused."""

from pathlib import Path
from typing import get_args

import pytest

from constructs_lib.charts import synth
from constructs_lib.platform import Platform
from constructs_lib.platform.runtime import Runtime, memory_beyond
from inference import contract
from tests.unit.constructs_lib.platform.files import tenant, the_mistake, write

DIGEST = "sha256:" + "0" * 64


def _image(folder: Path, text: str) -> str:
    (only,) = Platform.load(write(folder, text)).tenants
    return str(only.image)


def test_the_runtimes_are_those_of_the_service() -> None:
    assert get_args(Runtime) == contract.RUNTIMES


def test_a_tenant_serves_texts_unless_it_says_otherwise(tmp_path: Path) -> None:
    (only,) = Platform.load(write(tmp_path, tenant())).tenants
    assert (only.runtime, only.model_memory) == ("text", None)


def test_the_runtime_selects_the_image(tmp_path: Path) -> None:
    text_image = _image(tmp_path, tenant())
    assert _image(tmp_path, tenant("runtime: onnx")) == f"{text_image}-onnx"
    own = tenant("runtime: onnx").replace("platform:\n", "platform:\n  onnxImage: registry/onnx:7\n")
    assert _image(tmp_path, own) == "registry/onnx:7"
    assert _image(tmp_path, tenant("runtime: onnx\nimage: registry/mine:1")) == "registry/mine:1"


def test_a_digest_needs_the_name_of_the_other_image(tmp_path: Path) -> None:
    text_image = _image(tmp_path, tenant())
    pinned = tenant("runtime: onnx").replace(f"image: {text_image}", f"image: registry/text@{DIGEST}")
    assert DIGEST in pinned
    found = the_mistake(tmp_path, pinned)
    assert (found.field, found.fix) == ("tenants[0].runtime", "set platform.onnxImage")
    named = pinned.replace("platform:\n", f"platform:\n  onnxImage: registry/onnx@{DIGEST}\n")
    assert _image(tmp_path, named) == f"registry/onnx@{DIGEST}"


def test_rejects_an_unknown_runtime(tmp_path: Path) -> None:
    assert the_mistake(tmp_path, tenant("runtime: gpu")).field == "tenants[0].runtime"


def test_rejects_a_memory_limit_that_does_not_hold_the_model(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenant("runtime: onnx\nmodelMemory: 400Mi"))
    assert found.field == "tenants[0].modelMemory"
    assert found.rule.startswith("must leave a pod below its memory limit (512Mi), but the service with this model")
    larger = "runtime: onnx\nmodelMemory: 400Mi\nresources: {limits: {memory: 1Gi}}"
    Platform.load(write(tmp_path, tenant(larger)))


def test_a_pod_takes_its_base_and_its_model() -> None:
    assert memory_beyond(0, "1Mi") is not None
    assert memory_beyond("64Mi", "512Mi") is None
    small, large = memory_beyond(2**20, "1Mi"), memory_beyond("101Mi", "1Mi")
    assert small
    assert large
    assert int(large.removesuffix("Mi")) - int(small.removesuffix("Mi")) == 100


@pytest.mark.parametrize(("runtime", "variables"), [("text", []), ("onnx", ["onnx"])])
def test_the_pod_knows_its_runtime(tmp_path: Path, runtime: str, variables: list[str]) -> None:
    platform = Platform.load(write(tmp_path, tenant(f"runtime: {runtime}")))
    synth(platform, tmp_path / "dist", image="other:2")
    text = (tmp_path / "dist" / f"{platform.tenants[0].name}.k8s.yaml").read_text()
    lines = text.splitlines()
    found = [lines[place + 1].split()[-1] for place, line in enumerate(lines) if "INFERENCE_RUNTIME" in line]
    assert found == variables
    assert ("image: other:2-onnx" in text) == (runtime == "onnx")
