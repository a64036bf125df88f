"""Import a file with a fitted scikit-learn pipeline: load it in a child process, convert it, and check the answers.

A `.skops` file is loaded if all its types are scikit-learn's and NumPy's own. Loading a pickle or joblib file runs the
code in it: it is done only on request, in a child process with bounded time and memory.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from inference.address import check_name
from inference.errors import ConversionError
from inference.model.artifact import Artifact, seal
from inference.model.classifier import TextClassifier
from inference.model.manifest import Data, Example, LinearClassifier, NgramVectorizer, Vectorizer
from inference.model.scorer import Score
from inference.training.child import DEFAULT_LIMITS, Limits, run_module
from inference.training.convert import Conversion
from inference.training.corpus import Dataset
from inference.training.examples import choose_examples
from inference.training.report import baseline, measure

TOLERANCE: Final = 1e-9
"""An answer may differ from `predict_proba` by this much."""
PROBES: Final = (
    "", " ", "a", "Win FREE money now, click here!", "The meeting moved to Monday.\n\nSee you at noon  ",
    "Größe, Straße, naïve café, İstanbul, ΌΣΟΣ", "e\u0301clair and n\u0303",
    "日本語のテキスト 你好 สวัสดี", "مرحبا ١٢٣ x_1 __",
    "👩‍👩‍👧 ⭐⭐⭐ :-)", "word " * 200, "x" * 5_000,
)  # fmt: skip
"""Texts on which every conversion is compared, whatever else is given."""


class _Loaded(msgspec.Struct):
    """What the child process writes."""

    labels: tuple[str, ...]
    vectorizer: msgspec.Raw
    classifier: LinearClassifier | None
    expected: list[list[float]]
    sha256: str
    versions: dict[str, str]
    warnings: list[str]


@dataclass(frozen=True)
class Imported:
    """A pipeline as an artifact.

    Args:
        artifact: the model.
        largest_difference: between an answer and `predict_proba`, over all texts that were compared.
        compared: how many texts those are.
        warnings: what scikit-learn said while it loaded the file.
    """

    artifact: Artifact
    largest_difference: float
    compared: int
    warnings: tuple[str, ...]


def import_pipeline(
    path: Path,
    *,
    name: str,
    trust: bool = False,
    check: Dataset | None = None,
    examples: bool = True,
    limits: Limits = DEFAULT_LIMITS,
) -> Imported:
    """Convert the pipeline in `path`, compare its answers with scikit-learn's, and seal it.

    Args:
        path: a `.skops`, `.joblib`, `.pickle` or `.pkl` file.
        name: of the model.
        trust: whether code in the file may run; required unless it is a `.skops` file.
        check: labelled texts that the pipeline was not fitted on, to compare and to measure.
        examples: whether the model holds a few texts of `check`, which the page of the service shows.
        limits: for the child process that loads the file.

    Raises:
        ConversionError: the file cannot be loaded or converted, or an answer differs by more than `TOLERANCE`.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise ConversionError(str(error)) from error
    if path.suffix != ".skops" and not trust:
        raise ConversionError(
            f"{path}: loading a {path.suffix or 'pickle'} file runs the code in it; save the pipeline as .skops with"
            " skops.io.dump, or give --trust if you made the file yourself"
        )
    texts = [*PROBES, *(row.text for row in check.rows)] if check else list(PROBES)
    loaded, conversion = _load(path, texts, limits)
    data = Data(
        source=check.source if check else path.name,
        fingerprint=check.fingerprint if check else loaded.sha256,
        rows=len(check.rows) if check else 0,
        train_rows=0,
    )
    chosen = choose_examples(check.rows) if check and examples else ()
    sealed = partial(_seal, conversion, name=name, data=data, versions=loaded.versions, examples=chosen)
    scorer = TextClassifier(sealed(check=None, scores=[]))
    scores = [scorer.predict(text) for text in texts]
    difference = _compare(path, texts, [score.probabilities for score in scores], loaded.expected)
    held_out = [Score(score.probabilities, score.words, score.unknown_words) for score in scores[len(PROBES) :]]
    return Imported(sealed(check=check, scores=held_out), difference, len(texts), tuple(loaded.warnings))


def _seal(
    conversion: Conversion,
    *,
    name: str,
    data: Data,
    versions: dict[str, str],
    examples: tuple[Example, ...],
    check: Dataset | None,
    scores: Sequence[Score],
) -> Artifact:
    if check and (unknown := sorted({row.label for row in check.rows} - set(conversion.labels))):
        raise ConversionError(f"{check.source}: label {unknown[0]!r} is not one of the pipeline's labels")
    return seal(
        conversion.weights,
        name=name,
        labels=conversion.labels,
        vectorizer=conversion.vectorizer,
        classifier=conversion.classifier,
        data=data,
        metrics=measure(conversion.labels, check.rows, scores) if check else None,
        baseline=baseline(check.rows, scores) if check else None,
        versions=versions,
        examples=examples,
    )


def _load(path: Path, texts: Sequence[str], limits: Limits) -> tuple[_Loaded, Conversion]:
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder) / "texts.json", Path(folder) / "loaded"
        question.write_text(json.dumps(texts))
        answer.mkdir()
        run_module(f"{__package__}.load_pipeline", path, [path, question, answer], limits)
        loaded = msgspec.json.decode((answer / "loaded.json").read_bytes(), type=_Loaded)
        kind: Any = NgramVectorizer if loaded.classifier else Vectorizer
        vectorizer = msgspec.json.decode(loaded.vectorizer, type=kind)
        weights = (answer / "weights").read_bytes()
        return loaded, Conversion(loaded.labels, vectorizer, loaded.classifier, weights)


def _compare(
    path: Path, texts: Sequence[str], answers: Sequence[Sequence[float]], expected: Sequence[Sequence[float]]
) -> float:
    worst = 0.0
    for text, answer, probabilities in zip(texts, answers, expected, strict=True):
        difference = max(abs(ours - theirs) for ours, theirs in zip(answer, probabilities, strict=True))
        if not difference <= TOLERANCE:
            raise ConversionError(
                f"{path}: cannot be converted exactly: on the text {text[:40]!r} an answer differs from predict_proba"
                f" by {difference:.1e}"
            )
        worst = max(worst, difference)
    return worst
