"""What `manifest.json` says of a model, in the three formats that this service reads.

Format 1 is a linear model over words, or words and pairs, with fixed settings, and the fastest. Format 2 is any linear
model over word or character n-grams. Format 3 is an ONNX model, which ONNX Runtime runs.
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec

from inference.errors import ArtifactError, excerpt
from inference.model.signature import FREE, Feature, OutputSignature, TensorSignature, TestVector

MAX_NGRAM: Final = 100
"""Longest n-gram, in words or characters: the time for a text grows with it."""
MAX_BUCKETS: Final = 2**24
"""Most buckets of a hashed vocabulary: 64 MB of numbers."""
_TWO: Final = 2
MANIFEST_FILE: Final = "manifest.json"
WEIGHTS_FILE: Final = "weights.safetensors"
ONNX_FILE: Final = "model.onnx"
MAX_MANIFEST_BYTES: Final = 16 * 2**20
"""A larger manifest is not read. A thousand labels, whose confusion matrix has a million cells, fit."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the manifest."""


class Vectorizer(_Part, frozen=True):
    """How text becomes terms in format 1: the settings that its scorer implements, and no others."""

    lowercase: Literal[True]
    token_pattern: Literal[r"(?u)\b\w\w+\b"]
    ngram_range: tuple[Literal[1], Literal[1, 2]]
    norm: Literal["l2"]
    sublinear_tf: Literal[False]
    use_idf: Literal[True]
    terms: int


class Hashing(_Part, frozen=True):
    """The vocabulary of scikit-learn's `HashingVectorizer`: every n-gram counts in one of `buckets`.

    `alternate_sign`: half of the n-grams count as -1. `unseen`: the first row of numbers belongs to the buckets that no
    training text filled; an n-gram in such a bucket counts as unknown.
    """

    buckets: Annotated[int, msgspec.Meta(ge=1, le=MAX_BUCKETS)]
    alternate_sign: bool
    unseen: bool


class NgramFeatures(_Part, frozen=True, omit_defaults=True):
    """One vectorizer of format 2: how text becomes counted n-grams, and these become a vector.

    The names and meanings are those of scikit-learn's `TfidfVectorizer`. `pattern` is the token pattern of the word
    analyzer; None: runs of two or more word characters, scikit-learn's default. `terms` is the number of terms or, with
    `hashing`, of different rows of numbers.
    """

    analyzer: Literal["word", "char", "char_wb"]
    lowercase: bool
    strip_accents: Literal["ascii", "unicode"] | None
    pattern: Annotated[str, msgspec.Meta(max_length=1_000)] | None
    stop_words: tuple[str, ...]
    ngram_range: tuple[
        Annotated[int, msgspec.Meta(ge=1, le=MAX_NGRAM)], Annotated[int, msgspec.Meta(ge=1, le=MAX_NGRAM)]
    ]
    binary: bool
    sublinear_tf: bool
    norm: Literal["l1", "l2"] | None
    terms: Annotated[int, msgspec.Meta(ge=1)]
    hashing: Hashing | None = None


class NgramVectorizer(_Part, frozen=True):
    """The vectorizers of format 2, whose vectors are joined; `terms` is the number of all their terms."""

    terms: int
    features: Annotated[tuple[NgramFeatures, ...], msgspec.Meta(min_length=1)]


class CalibratedMembers(_Part, frozen=True):
    """How `CalibratedClassifierCV` makes probabilities of the scores of its `members`, and takes their mean.

    `base` is what a member gives to its calibrators: its `scores`, one per label or one for both of two labels, or the
    probabilities that the `softmax` of its scores gives. `method`: what a calibrator is.
    """

    members: Annotated[int, msgspec.Meta(ge=1)]
    base: Literal["scores", "softmax"]
    method: Literal["sigmoid", "isotonic"]

    def calibrators(self, labels: int) -> int:
        """The number of calibrators of one member."""
        return 1 if labels == _TWO else labels

    def scores(self, labels: int) -> int:
        """The number of scores of one member."""
        return labels - 1 if self.base == "softmax" else self.calibrators(labels)


class LinearClassifier(_Part, frozen=True, omit_defaults=True):
    """How the scores of format 2 become probabilities.

    `softmax`: one score per label except the first, whose score is 0. `sigmoid` and `modified_huber`: one score per
    label, or one for both of two labels; each score becomes a probability, and these are scaled to the sum 1.
    `calibrated`: as `calibration` says. `binarize_above`: a feature counts as 1 above this value, otherwise as 0; None:
    as its value.
    """

    link: Literal["softmax", "sigmoid", "modified_huber", "calibrated"]
    scores: Annotated[int, msgspec.Meta(ge=1)]
    binarize_above: float | None
    calibration: CalibratedMembers | None = None

    def expected_scores(self, labels: int) -> int:
        """The number of scores that the link requires."""
        if self.calibration:
            return self.calibration.members * self.calibration.scores(labels)
        return {"softmax": labels - 1, "modified_huber": 1 if labels == _TWO else labels}.get(self.link, labels)


class WeightsFile(_Part, frozen=True):
    """Name, SHA-256 and length of the file with the weights; in format 3, of the whole ONNX model."""

    file: Literal["weights.safetensors", "model.onnx"]
    sha256: str
    bytes: int


class Data(_Part, frozen=True):
    """What the model was trained and measured on: `rows` distinct texts, `train_rows` of them seen in training."""

    source: str
    fingerprint: str
    rows: int
    train_rows: int


class LabelMetrics(_Part, frozen=True):
    """How well the model recognizes one label, on the hold-out; shares are 0 to 1."""

    precision: float
    recall: float
    f1: float
    support: int


class CalibrationBin(_Part, frozen=True):
    """Hold-out texts whose confidence lies in one interval, with their mean confidence and their accuracy."""

    confidence: float
    accuracy: float
    texts: int


class Calibration(_Part, frozen=True):
    """`expected_error` is the mean difference between confidence and accuracy over `bins`, weighted by texts."""

    expected_error: float
    bins: tuple[CalibrationBin, ...]


class HoldoutMetrics(_Part, frozen=True):
    """The hold-out report. `confusion[i][j]` counts texts of label i that were classified as label j."""

    holdout_rows: int
    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    labels: dict[str, LabelMetrics]
    calibration: Calibration
    confusion: tuple[tuple[int, ...], ...]


class Baseline(_Part, frozen=True):
    """Means over the hold-out; live traffic is compared with them to see drift."""

    confidence: float
    unknown_words_ratio: float
    length_characters: float


class Example(_Part, frozen=True):
    """A text of the hold-out with its label, which the page of the service offers to try."""

    text: str
    label: str


class Manifest(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """The content of `manifest.json` that all formats share; a model that was imported may have no hold-out."""

    format: int
    name: str
    labels: tuple[str, ...]
    weights: WeightsFile
    data: Data
    metrics: HoldoutMetrics | None
    baseline: Baseline | None
    versions: dict[str, str]
    examples: tuple[Example, ...] = ()

    @property
    def runtime(self) -> Literal["text", "onnx"]:
        """What serves the model: one of the contract's RUNTIMES."""
        return "text"


class TfidfManifest(Manifest, frozen=True, kw_only=True):
    """Format 1."""

    vectorizer: Vectorizer


class LinearManifest(Manifest, frozen=True, kw_only=True):
    """Format 2."""

    vectorizer: NgramVectorizer
    classifier: LinearClassifier


class OnnxManifest(Manifest, frozen=True, kw_only=True):
    """Format 3; `labels` is empty unless the model is a classifier, and `features` unless its inputs are tabular.

    `memory_bytes` is what the import measured: how much a process grows at most when it loads and runs the model.
    """

    inputs: Annotated[tuple[TensorSignature, ...], msgspec.Meta(min_length=1)]
    outputs: Annotated[tuple[OutputSignature, ...], msgspec.Meta(min_length=1)]
    features: tuple[Feature, ...]
    test: TestVector
    memory_bytes: Annotated[int, msgspec.Meta(ge=1)]

    @property
    def runtime(self) -> Literal["text", "onnx"]:
        """What serves the model."""
        return "onnx"


AnyManifest = TfidfManifest | LinearManifest | OnnxManifest
_TYPES: Final[dict[int, type[AnyManifest]]] = {1: TfidfManifest, 2: LinearManifest, 3: OnnxManifest}


class _Format(msgspec.Struct):
    format: int


def read_manifest(content: bytes, *, expected_digest: str | None = None) -> AnyManifest:
    """Check the manifest alone, and against `expected_digest` (64 hexadecimal digits) if it is given.

    Raises:
        ArtifactError: it belongs to another model, or this service does not read its format.
    """
    digest = hashlib.sha256(content).hexdigest()
    if expected_digest is not None and digest != expected_digest:
        raise ArtifactError(f"{MANIFEST_FILE} has digest {digest}, expected {expected_digest}: it is not that model")
    manifest = _decode(content)
    labels = manifest.labels
    is_onnx = isinstance(manifest, OnnxManifest)
    fewest = 0 if is_onnx and not labels else 2  # a classifier has a choice
    if len(set(labels)) != len(labels) or len(labels) < fewest:
        raise ArtifactError(
            f"{MANIFEST_FILE} has labels {excerpt(list(labels))}; two or more distinct ones are required"
        )
    if (manifest.weights.file == ONNX_FILE) != is_onnx:
        raise ArtifactError(f"{MANIFEST_FILE} of format {manifest.format} names the file {manifest.weights.file}")
    if isinstance(manifest, OnnxManifest):
        _check_signature(manifest)
    return manifest


def _check_signature(manifest: OnnxManifest) -> None:
    """Check that the parts of the signature agree: what the service relies on without another look."""
    inputs = {each.name: each for each in manifest.inputs}
    outputs = {each.name: each for each in manifest.outputs}
    meanings = [each.meaning for each in manifest.outputs]
    columns = [(each.input, each.column) for each in manifest.features]
    expected = [(name, column) for name, each in inputs.items() for column in range(each.row_elements)]
    elements = sum(each.row_elements for each in manifest.inputs) * manifest.test.rows
    for wrong, what in (
        (len(inputs) != len(manifest.inputs) or len(outputs) != len(manifest.outputs), "two tensors of one name"),
        (any(each.shape[0] != FREE for each in (*manifest.inputs, *manifest.outputs)), "a fixed number of rows"),
        (meanings.count("probabilities") != bool(manifest.labels), "labels without probabilities, or the reverse"),
        (meanings.count("label") > bool(manifest.labels), "a label that is not one of the labels"),
        (columns != expected if columns else False, "features that are not the columns of its inputs"),
        (len({each.name for each in manifest.features}) != len(columns), "two features of one name"),
        (len({each.baseline is None for each in manifest.features}) > 1, "a baseline of some features only"),
        (set(manifest.test.inputs) != set(inputs), "a test vector for other inputs"),
        (set(manifest.test.outputs) != set(outputs), "a test vector for other outputs"),
        (sum(map(len, manifest.test.inputs.values())) != elements, "a test vector of another size"),
    ):
        if wrong:
            raise ArtifactError(f"{MANIFEST_FILE} describes {what}; import the model again")


def _decode(content: bytes) -> AnyManifest:
    try:
        found = msgspec.json.decode(content, type=_Format).format
        if found in _TYPES:
            return msgspec.json.decode(content, type=_TYPES[found])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(f"{MANIFEST_FILE} cannot be read: {excerpt(error)}") from error
    hint = "deploy a newer image" if found > max(_TYPES) else "train the model again"
    *others, last = map(str, _TYPES)
    known = f"{', '.join(others)} and {last}"
    raise ArtifactError(f"{MANIFEST_FILE} has format {excerpt(found)}, this service reads formats {known}; {hint}")
