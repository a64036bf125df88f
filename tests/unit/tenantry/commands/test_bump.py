"""`tenantry bump`, as the release calls it."""

import shutil
from pathlib import Path

from typer.testing import CliRunner

from constructs_lib.platform import Platform
from tenantry.cli import app
from tests.example_platform import EXAMPLE, example_dist

IMAGE = f"example/image:1.2.3@sha256:{'0123456789abcdef' * 4}"
ONNX_IMAGE = f"example/image:1.2.3-onnx@sha256:{'fedcba9876543210' * 4}"


def test_a_bump_changes_the_image_alone_in_the_file_and_in_every_manifest(tmp_path: Path) -> None:
    file, output = tmp_path / "platform.yaml", tmp_path / "dist"
    shutil.copy(EXAMPLE, file)
    shutil.copytree(example_dist(), output)
    before = _texts(tmp_path)
    old = next(line.split()[1] for line in before["platform.yaml"].splitlines() if line.strip().startswith("image:"))
    result = CliRunner().invoke(app, ["bump", IMAGE, "--file", str(file), "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{file}: changed\n{output}: changed\n"
    assert _texts(tmp_path) == {name: text.replace(old, IMAGE) for name, text in before.items()}
    assert sum(IMAGE in text for text in _texts(tmp_path).values()) > 1


def test_a_bump_of_both_images_sets_both_and_one_of_the_first_names_the_other(tmp_path: Path) -> None:
    """The release sets both. An image for ONNX models that stays behind is reported."""
    file, output = tmp_path / "platform.yaml", tmp_path / "dist"
    shutil.copy(EXAMPLE, file)
    options = ["--file", str(file), "--output", str(output)]
    both = CliRunner().invoke(app, ["bump", IMAGE, "--onnx-image", ONNX_IMAGE, *options])
    assert both.exit_code == 0, both.output
    assert "platform.onnxImage" not in both.stderr
    settings = Platform.load(file).platform
    assert (settings.image, settings.onnx_image) == (IMAGE, ONNX_IMAGE)
    one = CliRunner().invoke(app, ["bump", "example/image:2", *options])
    assert one.exit_code == 0, one.output
    assert f"platform.onnxImage is still {ONNX_IMAGE}; set it with --onnx-image" in one.stderr.replace("\n", " ")
    assert Platform.load(file).platform.onnx_image == ONNX_IMAGE


def test_a_bump_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """A folder that holds other files is wrong input, and platform.yaml is not changed."""
    file, output = tmp_path / "platform.yaml", tmp_path / "dist"
    shutil.copy(EXAMPLE, file)
    output.mkdir()
    (output / "notes.txt").write_text("mine")
    before = file.read_bytes()
    result = CliRunner().invoke(app, ["bump", IMAGE, "--file", str(file), "--output", str(output)])
    assert (result.exit_code, file.read_bytes()) == (2, before)
    assert "notes.txt" in result.stderr


def _texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.yaml")}
