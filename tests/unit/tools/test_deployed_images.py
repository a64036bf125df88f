"""Which images the weekly scan looks at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from constructs_lib.platform.runtime import runtime_image
from tests.fake_programs import FakePrograms
from tests.paths import ROOT, TEMPLATE

SCRIPT = ROOT / "tools" / "deployed_images.py"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXT, ONNX = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def _run(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, file], capture_output=True, text=True, check=False)


def _labels(revision: str = COMMIT) -> str:
    return json.dumps({"Labels": {"org.opencontainers.image.revision": revision}})


@pytest.fixture
def skopeo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    """A registry in which every image was built from COMMIT."""
    (tmp_path / "bin").mkdir()
    programs = FakePrograms(tmp_path / "bin", monkeypatch)
    programs.add("skopeo", {"inspect": {"says": _labels()}})
    return programs


@pytest.mark.parametrize(
    ("lines", "references"),
    [
        ("image: you/service:1", {"text": "you/service:1", "onnx": "you/service:1-onnx"}),
        (f"image: you/service:1@{TEXT}  # pinned", {"text": f"you/service@{TEXT}"}),
        (
            f"image: you/service:1@{TEXT}\n  onnxImage: you/service:1-onnx@{ONNX}",
            {"text": f"you/service@{TEXT}", "onnx": f"you/service@{ONNX}"},
        ),
        ("image: 'you/service:1'\n  onnxImage: other/onnx:2", {"text": "you/service:1", "onnx": "other/onnx:2"}),
    ],
)
@pytest.mark.usefixtures("skopeo")
def test_the_images_are_those_that_tenants_of_each_runtime_have(
    tmp_path: Path, lines: str, references: dict[str, str]
) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(f"platform:\n  # A comment.\n  {lines}\n\ntenants:\n  - name: a\n    image: mine/only:1\n")
    assert json.loads(_run(file).stdout) == [
        {"runtime": runtime, "reference": f"docker://docker.io/{name}", "revision": COMMIT}
        for runtime, name in references.items()
    ]


@pytest.mark.parametrize("file", [ROOT / "platform.yaml", TEMPLATE])
def test_reads_the_files_of_this_repository_and_derives_names_as_synth_does(skopeo: FakePrograms, file: Path) -> None:
    done = _run(file)
    found = {each["runtime"]: each["reference"].removeprefix("docker://docker.io/") for each in json.loads(done.stdout)}
    if "@" not in found["text"]:
        assert found["onnx"] == runtime_image(found["text"], "onnx")
    assert len((skopeo.folder / "asked").read_text().splitlines()) == len(found)


def test_an_image_that_the_registry_does_not_have_fails(tmp_path: Path, skopeo: FakePrograms) -> None:
    skopeo.add("skopeo", {"1-onnx": {"code": 1, "complains": "manifest unknown"}, "inspect": {"says": _labels()}})
    file = tmp_path / "platform.yaml"
    file.write_text("platform:\n  image: you/service:1\n")
    done = _run(file)
    assert (done.returncode, done.stdout) == (1, "")
    assert "manifest unknown" in done.stderr
    assert "skopeo cannot read docker://docker.io/you/service:1-onnx" in done.stderr


@pytest.mark.parametrize(
    ("text", "revision", "message"),
    [
        ("platform:\n  image: you/service:1\n", "unknown", "is 'unknown', not a commit"),
        ("tenants:\n  image: you/service:1\n", COMMIT, "there is no line 'image:' below 'platform:'"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused(
    tmp_path: Path, skopeo: FakePrograms, text: str, revision: str, message: str
) -> None:
    skopeo.add("skopeo", {"inspect": {"says": _labels(revision)}})
    file = tmp_path / "platform.yaml"
    file.write_text(text)
    done = _run(file)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
