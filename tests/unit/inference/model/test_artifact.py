"""A model's files: sealed, the same every time, and refused when they are not what they say."""

import json
from pathlib import Path

import pytest

from inference.errors import ArtifactError
from inference.model.artifact import MANIFEST_FILE, WEIGHTS_FILE, Artifact, read, read_directory, write
from inference.model.classifier import TextClassifier
from inference.model.scorer import Weights, pack_weights, unpack_weights
from inference.model.tensors import Tensor, pack, unpack


def test_reads_what_it_wrote(tiny_artifact: Artifact, tmp_path: Path) -> None:
    write(tmp_path / "new" / "folder", tiny_artifact)
    assert read_directory(tmp_path / "new" / "folder", expected_digest=tiny_artifact.digest) == tiny_artifact
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [MANIFEST_FILE, WEIGHTS_FILE]


def test_version_is_the_digests_first_digits(tiny_artifact: Artifact) -> None:
    assert len(tiny_artifact.digest) == 64
    assert tiny_artifact.version == tiny_artifact.digest[:12]


def test_refuses_another_digest_than_was_asked_for(tiny_artifact: Artifact) -> None:
    with pytest.raises(ArtifactError, match=f"expected {'0' * 64}: it is not that model"):
        read(tiny_artifact.files(), expected_digest="0" * 64)


@pytest.mark.parametrize("name", [MANIFEST_FILE, WEIGHTS_FILE])
def test_names_a_file_that_is_missing(tiny_artifact: Artifact, tmp_path: Path, name: str) -> None:
    files = {other: content for other, content in tiny_artifact.files().items() if other != name}
    with pytest.raises(ArtifactError, match=f"the model has no {name}"):
        read(files)
    with pytest.raises(ArtifactError, match="No such file or directory; train or publish it"):
        read_directory(tmp_path)


@pytest.mark.parametrize("name", [MANIFEST_FILE, WEIGHTS_FILE])
def test_refuses_a_file_truncated_anywhere(tiny_artifact: Artifact, name: str) -> None:
    files = tiny_artifact.files()
    for length in range(0, len(files[name]) - 1, 97):
        with pytest.raises(ArtifactError):
            read(files | {name: files[name][:length]}, expected_digest=tiny_artifact.digest)
        with pytest.raises(ArtifactError):
            read(files | {name: files[name][:length]})


def test_refuses_weights_with_a_flipped_bit(tiny_artifact: Artifact) -> None:
    weights = bytearray(tiny_artifact.weights)
    weights[-1] ^= 1
    with pytest.raises(ArtifactError, match="tampered with"):
        read(tiny_artifact.files() | {WEIGHTS_FILE: bytes(weights)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "has format 2, this service reads format 1; deploy a newer image"),
        ({"format": 0}, "train the model anew"),
        ({"labels": ["ham", "ham"]}, "two or more distinct ones are needed"),
        ({"labels": ["ham"]}, "two or more distinct ones are needed"),
        ({"labels": None}, "cannot be read"),
        ({"baseline": {}}, "cannot be read"),
    ],
)
def test_refuses_a_manifest_that_breaks_a_rule(
    tiny_artifact: Artifact, change: dict[str, object], message: str
) -> None:
    manifest = json.dumps(json.loads(tiny_artifact.manifest_bytes) | change).encode()
    with pytest.raises(ArtifactError, match=message):
        read(tiny_artifact.files() | {MANIFEST_FILE: manifest})


def test_refuses_text_settings_that_the_scorer_does_not_implement(tiny_artifact: Artifact) -> None:
    manifest = json.loads(tiny_artifact.manifest_bytes)
    manifest["vectorizer"]["sublinear_tf"] = True
    with pytest.raises(ArtifactError, match="sublinear_tf"):
        read(tiny_artifact.files() | {MANIFEST_FILE: json.dumps(manifest).encode()})


def test_refuses_weights_that_contradict_the_manifest(tiny_artifact: Artifact) -> None:
    manifest = json.loads(tiny_artifact.manifest_bytes)
    manifest["vectorizer"]["terms"] += 1
    with pytest.raises(ArtifactError, match="has shape"):
        TextClassifier.from_artifact(read(tiny_artifact.files() | {MANIFEST_FILE: json.dumps(manifest).encode()}))


def test_weights_survive_packing(tiny_weights: Weights) -> None:
    terms = len(tiny_weights.idf)
    packed = pack_weights(tiny_weights)
    assert unpack_weights(packed, labels=2, terms=terms, bigrams=True) == tiny_weights


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("idf", None, "no tensor 'idf'"),
        ("idf", Tensor("F64", (1,), bytes(8)), r"'idf' has shape \[1\]"),
        (
            "priors",
            Tensor("F64", (1,), b"\0\0\0\0\0\0\xf0\x7f"),
            "'priors' of the weights holds a number that is not finite",
        ),
        ("priors", Tensor("U8", (1,), b"\0"), "a tensor of U8 where F64 is needed"),
        ("terms", Tensor("U8", (1,), b"a"), "the weights name 1 terms"),
    ],
)
def test_refuses_tensors_that_make_no_model(
    tiny_weights: Weights, name: str, tensor: Tensor | None, message: str
) -> None:
    tensors = unpack(pack_weights(tiny_weights))
    del tensors[name]
    if tensor is not None:
        tensors[name] = tensor
    with pytest.raises(ArtifactError, match=message):
        unpack_weights(pack(tensors), labels=2, terms=len(tiny_weights.idf), bigrams=True)


def test_refuses_terms_that_are_not_utf8(tiny_weights: Weights) -> None:
    tensors = unpack(pack_weights(tiny_weights))
    broken = bytes(tensors["terms"].data).replace(b"money", b"mone\xff")
    tensors["terms"] = Tensor("U8", (len(broken),), broken)
    with pytest.raises(ArtifactError, match="not UTF-8"):
        unpack_weights(pack(tensors), labels=2, terms=len(tiny_weights.idf), bigrams=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "truncated: 0 bytes"),
        (b"\xff" * 16, "truncated: 16 bytes"),
        (b"\x02\0\0\0\0\0\0\0[]", "no safetensors header"),
        (b"\x02\0\0\0\0\0\0\0\xff\xff", "no safetensors header"),
        (pack({"x": Tensor("F32", (1,), bytes(4))}), "dtype 'F32'; this service reads F64 and U8"),
        (pack({"x": Tensor("F64", (2,), bytes(8))}), "lies at bytes 0 to 8, where 16 of 8 are needed"),
        (pack({"x": Tensor("F64", (1,), bytes(8))})[:-1], "where 8 of 7 are needed"),
        (pack({"x": Tensor("U8", (-1,), b"")}), "lies at bytes"),
    ],
)
def test_refuses_what_is_no_safetensors_file(content: bytes, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        unpack(content)
