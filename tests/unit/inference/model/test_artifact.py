"""A model's files: sealed, the same every time, and refused when they are not what they say."""

import json
import math
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors import deserialize

from inference.errors import ArtifactError
from inference.model.artifact import Artifact, read, read_directory, write
from inference.model.classifier import TextClassifier
from inference.model.manifest import MANIFEST_FILE, WEIGHTS_FILE, read_manifest
from inference.model.scorer import LARGEST, Scorer, Weights, pack_weights, unpack_weights
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
    with pytest.raises(ArtifactError, match="it was changed"):
        read(tiny_artifact.files() | {WEIGHTS_FILE: bytes(weights)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 4}, "has format 4, this service reads formats 1, 2 and 3; deploy a newer image"),
        ({"format": 0}, "train the model again"),
        ({"labels": ["ham", "ham"]}, "two or more distinct ones are required"),
        ({"labels": ["ham"]}, "two or more distinct ones are required"),
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
        ("idf", Tensor("F64", (1,), bytes(8)), r"'idf' of the weights has shape \[1\]"),
        (
            "priors",
            Tensor("F64", (1,), b"\0\0\0\0\0\0\xf0\x7f"),
            "'priors' of the weights holds a number that is not between",
        ),
        ("priors", Tensor("U8", (1,), b"\0"), "a tensor of U8 where F64 is required"),
        ("terms", Tensor("U8", (1,), b"a"), "the weights have 1 terms"),
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


def _file(header: object, data: bytes = b"") -> bytes:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def _deserialize(content: bytes) -> list[tuple[str, dict[str, Any]]]:
    return list(deserialize(content))  # type: ignore[no-untyped-call] # its stub has no types


def _entry(shape: list[int], begin: int, end: int, dtype: str = "F64") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 16,
        _file(b"[]"),
        _file(b"\xff\xff"),
        _file(b"[" * 100_000),
        pack({"x": Tensor("F64", (2,), bytes(8))}),
        pack({"x": Tensor("F64", (1,), bytes(8))})[:-1],
        pack({"x": Tensor("U8", (-1,), b"")}),
        _file({"x": _entry([1], 0, 8), "y": _entry([1], 0, 8)}, bytes(8)),
        _file({"x": _entry([1], 0, 8), "y": _entry([1], 4, 12)}, bytes(12)),
        _file({"x": _entry([1], 8, 16)}, bytes(16)),
        _file({"x": _entry([2**62, 2**62], 0, 8)}, bytes(8)),
        _file(b'{"x": {"dtype": "F64", "shape": [' + b"9" * 100_000 + b'], "data_offsets": [0, 8]}}', bytes(8)),
        _file({"x": _entry([1], 0, 8, "A" * 100_000)}, bytes(8)),
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_refuses_in_one_short_line_what_is_not_a_safetensors_file(content: bytes) -> None:
    with pytest.raises(ArtifactError, match="are not a safetensors file") as caught:
        unpack(content)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_refuses_a_tensor_of_another_type() -> None:
    with pytest.raises(ArtifactError, match="dtype F32; this service reads F64, U32, U8"):
        unpack(pack({"x": Tensor("F32", (1,), bytes(4))}))


def test_the_safetensors_package_reads_what_is_written(tiny_weights: Weights) -> None:
    found = {name: (entry["dtype"], entry["shape"]) for name, entry in _deserialize(pack_weights(tiny_weights))}
    terms = len(tiny_weights.idf)
    assert found == {
        "idf": ("F64", [terms]),
        "priors": ("F64", [1]),
        "pushes": ("F64", [terms, 1]),
        "terms": ("U8", [len(tiny_weights.terms)]),
    }


def test_written_bytes_stay_the_same() -> None:
    """Digests of published models depend on them: training again must give the same version."""
    packed = pack({"b": Tensor("U8", (2,), b"ab"), "a": Tensor.from_doubles(array("d", [1.0]), (1,))})
    header = (
        b'{"a":{"data_offsets":[0,8],"dtype":"F64","shape":[1]},"b":{"data_offsets":[8,10],"dtype":"U8","shape":[2]}}'
    )
    header += b" " * (-len(header) % 8)
    assert packed == len(header).to_bytes(8, "little") + header + b"\0\0\0\0\0\0\xf0?ab"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("idf", 0.0),
        ("idf", -1.0),
        ("idf", 1e-200),
        ("idf", 1e200),
        ("idf", math.nan),
        ("pushes", 1e300),
        ("pushes", -math.inf),
        ("pushes", math.nan),
        ("priors", math.inf),
        ("priors", math.nan),
    ],
)
def test_refuses_numbers_that_cannot_give_probabilities(tiny_weights: Weights, name: str, value: float) -> None:
    numbers = array("d", getattr(tiny_weights, name))
    numbers[len(numbers) // 2] = value
    changed: dict[str, Any] = {name: numbers}
    packed = pack_weights(tiny_weights._replace(**changed))
    with pytest.raises(ArtifactError, match=f"tensor '{name}' of the weights holds a number that is not between"):
        unpack_weights(packed, labels=2, terms=len(tiny_weights.idf), bigrams=True)


@pytest.mark.parametrize("make_scorer", [None, Scorer])
def test_the_largest_numbers_that_are_accepted_give_probabilities(
    tiny_weights: Weights, tiny_artifact: Artifact, make_scorer: type[Scorer] | None
) -> None:
    extreme = tiny_weights._replace(
        idf=array("d", [(LARGEST, 1 / LARGEST)[place % 2] for place in range(len(tiny_weights.idf))]),
        pushes=array("d", [(LARGEST, -LARGEST)[place % 2] for place in range(len(tiny_weights.pushes))]),
        priors=array("d", [LARGEST]),
    )
    model = TextClassifier(replace(tiny_artifact, weights=pack_weights(extreme)), make_scorer=make_scorer)
    for text in ("", "money", "win money now", "free " * 50_000, tiny_weights.terms.decode()):
        assert sum(model.predict(text).probabilities) == 1
        assert all(math.isfinite(each.weight) for each in model.explain(text, 100))


def test_refuses_a_shape_of_many_dimensions_in_one_short_line(tiny_weights: Weights) -> None:
    tensors = unpack(pack_weights(tiny_weights))
    tensors["priors"] = Tensor("F64", (1,) * 50_000, bytes(8))
    with pytest.raises(
        ArtifactError, match=r"'priors' of the weights has shape \[1, 1, .*, the manifest says \[1\]"
    ) as caught:
        unpack_weights(pack(tensors), labels=2, terms=len(tiny_weights.idf), bigrams=True)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"format": ' + b"[" * 100_000,
        b"\xff",
        b'{"format": 1, "name": "\xff"}',
        b'{"format": ' + b"9" * 5_000 + b"}",
        b'{"format": 1e400}',
        b"\x00" * 1_000,
        b'"' + b"A" * 1_000_000,
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_refuses_in_one_short_line_what_is_not_a_manifest(content: bytes) -> None:
    with pytest.raises(ArtifactError) as caught:
        read_manifest(content)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()
