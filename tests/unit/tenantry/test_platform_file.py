"""The lines of platform.yaml that commands change."""

from pathlib import Path

import pytest

from constructs_lib.platform import Platform, PlatformError
from inference.address import ModelUri
from tenantry.errors import InputError
from tenantry.platform_file import find_tenant, set_image, set_model
from tests.certificates import Authority

DIGEST = "0123456789abcdef" * 4
IMAGE = f"example/image:2@sha256:{DIGEST}"
ONNX_IMAGE = f"example/image:2-onnx@sha256:{DIGEST[::-1]}"
TEXT = """\
# yaml-language-server: $schema=./platform.schema.json
apiVersion: tenantry.dev/v1alpha1
platform:
    image:   "example/image:1"     # odd spacing stays


defaults: {autoscaling: {maxReplicas: 4}}
tenants:
- name: tenant-a
  model: s3://models/tenant-a/spam   # a comment
- {name: tenant-b, model: 's3://models/tenant-b/spam'} # in flow style
- model: >-
    s3://models/tenant-c/spam
  name: "tenant-c"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "platform.yaml"
    file.write_text(TEXT)
    return file


@pytest.mark.parametrize(
    ("tenant", "before", "after"),
    [
        ("tenant-a", "s3://models/tenant-a/spam ", f"s3://models/tenant-a/spam@sha256:{DIGEST} "),
        ("tenant-b", "'s3://models/tenant-b/spam'", f"s3://models/tenant-b/spam@sha256:{DIGEST}"),
        ("tenant-c", ">-\n    s3://models/tenant-c/spam\n", f"s3://models/tenant-c/spam@sha256:{DIGEST}\n"),
    ],
)
def test_only_the_models_address_changes(file: Path, tenant: str, before: str, after: str) -> None:
    uri = ModelUri.parse(f"s3://models/{tenant}/spam").at(DIGEST)
    assert set_model(file, tenant, uri)
    assert file.read_text() == TEXT.replace(before, after)
    assert {each.name: each.model for each in Platform.load(file).tenants}[tenant] == str(uri)


def test_pinning_to_what_is_there_says_so_and_changes_nothing(file: Path) -> None:
    uri = ModelUri.parse("s3://models/tenant-a/spam")
    assert not set_model(file, "tenant-a", uri)
    assert file.read_text() == TEXT


def test_a_file_that_would_become_wrong_is_left_as_it_was(file: Path) -> None:
    with pytest.raises(PlatformError, match="tenant-a"):
        set_model(file, "tenant-a", ModelUri.parse("s3://models/tenant-b/spam"))
    assert file.read_text() == TEXT
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_names_another_file_can_be_changed(file: Path) -> None:
    """The other file is beside platform.yaml, wherever the new text is checked."""
    name = Authority(file.parent).file.name
    store = f"modelStore: {{endpoint: 'https://s3.example', namespace: null, caBundle: {{file: {name}}}}}"
    file.write_text(TEXT.replace("\n\n\ndefaults", f"\n    {store}\ndefaults"))
    assert set_model(file, "tenant-a", ModelUri.parse("s3://models/tenant-a/other"))
    assert store in file.read_text()


def test_the_files_mode_stays(file: Path) -> None:
    file.chmod(0o640)
    set_model(file, "tenant-a", ModelUri.parse("s3://models/tenant-a/other"))
    assert file.stat().st_mode & 0o777 == 0o640


def test_an_unknown_tenant_is_refused_by_name(file: Path) -> None:
    with pytest.raises(InputError, match="no tenant 'tenant-d'; it has tenant-a, tenant-b, tenant-c"):
        find_tenant(file, "tenant-d")
    with pytest.raises(InputError, match="tenant 'tenant-d' has no line 'model:'"):
        set_model(file, "tenant-d", ModelUri.parse("s3://models/tenant-d/spam"))


def test_only_the_platforms_image_changes(file: Path) -> None:
    assert set_image(file, IMAGE)
    assert file.read_text() == TEXT.replace('"example/image:1"', IMAGE)
    assert not set_image(file, IMAGE)


def test_the_image_for_onnx_models_gets_a_line_below_the_image(file: Path) -> None:
    assert set_image(file, IMAGE, ONNX_IMAGE)
    line = f"image:   {IMAGE}     # odd spacing stays"
    assert file.read_text() == TEXT.replace(
        'image:   "example/image:1"     # odd spacing stays', f"{line}\n    onnxImage: {ONNX_IMAGE}"
    )
    assert not set_image(file, IMAGE, ONNX_IMAGE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{image: 'a/b:1'}", "{image: NEW, onnxImage: ONNX}"),
        ("{onnxImage: a/c:1, image: a/b:1}", "{onnxImage: ONNX, image: NEW}"),
        ("\n  onnxImage: a/c:1  # mine\n  image: a/b:1", "\n  onnxImage: ONNX  # mine\n  image: NEW"),
        ("\n  image: >-\n    a/b:1\n  dns: {}", "\n  image: NEW\n  onnxImage: ONNX\n  dns: {}"),
    ],
)
def test_both_images_are_set_wherever_they_are(file: Path, before: str, after: str) -> None:
    text = "apiVersion: tenantry.dev/v1alpha1\ntenants: [{name: a, model: s3://models/a/spam}]\nplatform: "
    file.write_text(text + before)
    assert set_image(file, IMAGE, ONNX_IMAGE)
    assert file.read_text() == text + after.replace("NEW", IMAGE).replace("ONNX", ONNX_IMAGE)


def test_a_tenant_with_an_onnx_model_gets_its_digest_with_that_of_the_platform(file: Path) -> None:
    """Neither the image without a digest nor the digest alone is a step in between."""
    file.write_text(TEXT.replace("name: tenant-b,", "name: tenant-b, runtime: onnx,"))
    before = file.read_text()
    with pytest.raises(PlatformError, match=r"set platform\.onnxImage"):
        set_image(file, IMAGE)
    assert file.read_text() == before
    set_image(file, IMAGE, ONNX_IMAGE)
    images = {tenant.name: tenant.image for tenant in Platform.load(file).tenants}
    assert images == {"tenant-a": IMAGE, "tenant-b": ONNX_IMAGE, "tenant-c": IMAGE}


def test_one_refused_image_leaves_both_as_they_were(file: Path) -> None:
    with pytest.raises(PlatformError, match="a tag other than 'latest'"):
        set_image(file, "example/image:latest", ONNX_IMAGE)
    assert file.read_text() == TEXT


def test_an_image_that_changes_by_itself_is_refused(file: Path) -> None:
    with pytest.raises(PlatformError, match="a tag other than 'latest'"):
        set_image(file, "example/image:latest")
    assert file.read_text() == TEXT


def test_a_file_without_the_line_is_refused(file: Path) -> None:
    file.write_text("platform: {}\ntenants: {}\n")
    with pytest.raises(InputError, match="no line 'image:' under 'platform:'"):
        set_image(file, "example/image:2")
