"""Files with fitted pipelines: what is loaded, what is refused, and what the answers are compared with."""

import io
import os
import pickle
import subprocess
import warnings
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2, f_classif
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from inference.errors import ConversionError
from inference.model.classifier import TextClassifier
from inference.training import importing, load_pipeline
from inference.training.child import Limits
from inference.training.corpus import Dataset, Row
from inference.training.importing import PROBES, TOLERANCE, import_pipeline
from tests.models import TEXTS

ROWS = [(text, label) for label, texts in TEXTS.items() for text in texts]
CHECK = Dataset.from_test_rows([Row("free pills", "spam"), Row("the build at noon", "ham")], "test.csv")


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3))
    return make_pipeline(vectorizer, LogisticRegression()).fit([text for text, _ in ROWS], [label for _, label in ROWS])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Load in this process: a process of its own imports scikit-learn anew, which takes seconds."""

    def run(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        code = load_pipeline.main([str(argument) for argument in command[3:]])
        return subprocess.CompletedProcess(command, code, "", capfd.readouterr().err)

    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    monkeypatch.setattr(subprocess, "run", run)


in_this_process = pytest.mark.usefixtures("quick")


def _save(pipeline: Any, folder: Path, kind: str) -> Path:
    path = folder / f"pipeline{kind}"
    if kind == ".skops":
        skops.io.dump(pipeline, path)
    elif kind == ".joblib":
        joblib.dump(pipeline, path)
    else:
        path.write_bytes(pickle.dumps(pipeline))
    return path


@in_this_process
@pytest.mark.parametrize("kind", [".skops", ".joblib", ".pickle", ".pkl"])
def test_every_kind_of_file_gives_the_same_model(pipeline: Pipeline, tmp_path: Path, kind: str) -> None:
    imported = import_pipeline(_save(pipeline, tmp_path, kind), name="mails", trust=kind != ".skops", check=CHECK)
    model = TextClassifier(imported.artifact)
    texts = [row.text for row in CHECK.rows]
    answers = [model.predict(text).probabilities for text in texts]
    np.testing.assert_allclose(answers, pipeline.predict_proba(texts), rtol=0, atol=1e-12)
    assert imported.largest_difference < 1e-12
    assert imported.compared == len(PROBES) + 2
    manifest = imported.artifact.manifest
    assert (manifest.format, manifest.name, manifest.labels) == (2, "mails", ("ham", "spam"))
    assert manifest.metrics
    assert manifest.baseline
    assert (manifest.metrics.holdout_rows, manifest.data.source) == (2, "test.csv")


@in_this_process
def test_the_same_file_gives_the_same_bytes(pipeline: Pipeline, tmp_path: Path) -> None:
    path = _save(pipeline, tmp_path, ".skops")
    first, second = (import_pipeline(path, name="mails").artifact for _ in range(2))
    assert first.files() == second.files()


@in_this_process
def test_without_labelled_texts_a_model_has_no_metrics(pipeline: Pipeline, tmp_path: Path) -> None:
    manifest = import_pipeline(_save(pipeline, tmp_path, ".skops"), name="mails").artifact.manifest
    assert (manifest.metrics, manifest.baseline, manifest.data.rows) == (None, None, 0)
    assert len(manifest.data.fingerprint) == 64


class Hostile:
    """Creates a file when it is loaded from a pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


class Large:
    """Takes eight gigabytes when it is loaded from a pickle."""

    def __reduce__(self) -> Any:
        return bytearray, (2**33,)


@in_this_process
@pytest.mark.parametrize("kind", [".joblib", ".pkl", ".bin", ""])
def test_code_in_a_file_runs_only_on_request(tmp_path: Path, kind: str) -> None:
    path = _save(Hostile(tmp_path / "made"), tmp_path, kind)
    with pytest.raises(ConversionError, match=r"runs the code in it; save the pipeline as .skops .* or give --trust"):
        import_pipeline(path, name="mails")
    assert not (tmp_path / "made").exists()
    with pytest.raises(ConversionError, match="a NoneType is not a pipeline"):
        import_pipeline(path, name="mails", trust=True)
    assert (tmp_path / "made").exists()


@in_this_process
def test_types_of_a_skops_file_that_are_not_allowed_are_named(tmp_path: Path) -> None:
    vectorizer = TfidfVectorizer(analyzer=os.path.basename)
    fitted = make_pipeline(vectorizer, MultinomialNB()).fit(["a/b", "c/d"], ["x", "y"])
    with pytest.raises(ConversionError, match=r"types that are not allowed: posixpath\.basename"):
        import_pipeline(_save(fitted, tmp_path, ".skops"), name="mails", trust=True)


@in_this_process
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("score", [chi2, f_classif])
def test_every_step_that_is_converted_can_be_loaded_from_skops(tmp_path: Path, method: str, score: Any) -> None:
    """The library alone does not allow the private classes and the functions that these steps hold."""
    texts, labels = [text for text, _ in ROWS], [label for _, label in ROWS]
    selected = make_pipeline(
        HashingVectorizer(n_features=8, alternate_sign=False, norm=None), SelectKBest(score, k=5), LinearSVC()
    )
    for fitted in (
        make_pipeline(*selected[:-1], CalibratedClassifierCV(LinearSVC(), method=method, cv=2)),
        CalibratedClassifierCV(FrozenEstimator(selected.fit(texts, labels)), method=method, cv=2),
    ):
        imported = import_pipeline(_save(fitted.fit(texts, labels), tmp_path, ".skops"), name="mails")
        assert imported.largest_difference < TOLERANCE


@in_this_process
@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_a_file_that_is_not_a_pipeline_ends_with_one_line(tmp_path: Path, content: bytes) -> None:
    for kind in (".skops", ".pkl"):
        path = tmp_path / f"x{kind}"
        path.write_bytes(content)
        with pytest.raises(ConversionError, match="cannot be loaded") as caught:
            import_pipeline(path, name="mails", trust=True)
        assert "\n" not in str(caught.value)


@in_this_process
def test_a_damaged_skops_file_ends_with_one_line(pipeline: Pipeline, tmp_path: Path) -> None:
    path = _save(pipeline, tmp_path, ".skops")
    content = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(content, "w") as part:
        part.writestr("schema.json", whole.read("schema.json"))
    path.write_bytes(content.getvalue())
    with pytest.raises(ConversionError, match="cannot be loaded"):
        import_pipeline(path, name="mails")


@in_this_process
def test_a_step_that_cannot_be_converted_is_named(tmp_path: Path) -> None:
    fitted = make_pipeline(TfidfVectorizer(), LinearSVC()).fit([text for text, _ in ROWS], [label for _, label in ROWS])
    with pytest.raises(ConversionError, match=r"pipeline\.skops: step 'linearsvc' is a LinearSVC"):
        import_pipeline(_save(fitted, tmp_path, ".skops"), name="mails")


def test_loading_has_limits(pipeline: Pipeline, tmp_path: Path) -> None:
    path = _save(pipeline, tmp_path, ".skops")
    with pytest.raises(ConversionError, match=r"not loaded and converted after 0\.01 s"):
        import_pipeline(path, name="mails", limits=Limits(timeout_seconds=0.01))
    large = tmp_path / "large.pkl"
    large.write_bytes(pickle.dumps(Large()))
    with pytest.raises(ConversionError, match="cannot be loaded: MemoryError"):
        import_pipeline(large, name="mails", trust=True, limits=Limits(memory_bytes=2**32))


@in_this_process
def test_another_scikit_learn_version_is_passed_on_as_a_warning(pipeline: Pipeline, tmp_path: Path) -> None:
    content = pickle.dumps(pipeline)
    version = pickle.dumps(pipeline.named_steps["logisticregression"].__getstate__()["_sklearn_version"])[-9:]
    path = tmp_path / "old.pkl"
    path.write_bytes(content.replace(version[: version.index(b"\x94")] or b"?", b"\x8c\x051.0.0"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        pickle.loads(path.read_bytes())  # noqa: S301 - written above
    assert any("1.0.0" in line for line in import_pipeline(path, name="mails", trust=True).warnings)


@in_this_process
def test_refuses_a_model_whose_answers_differ(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a step does that the conversion does not know."""
    monkeypatch.setattr(importing, "TOLERANCE", -1.0)
    with pytest.raises(ConversionError, match="cannot be converted exactly: on the text '' an answer differs"):
        import_pipeline(_save(pipeline, tmp_path, ".skops"), name="mails")


@in_this_process
def test_refuses_a_name_and_labels_that_do_not_fit(pipeline: Pipeline, tmp_path: Path) -> None:
    path = _save(pipeline, tmp_path, ".skops")
    with pytest.raises(ConversionError, match="a model's name is"):
        import_pipeline(path, name="my model")
    with pytest.raises(ConversionError, match=r"x: label 'eggs' is not one of the pipeline's labels"):
        import_pipeline(path, name="mails", check=Dataset.from_test_rows([Row("a", "eggs")], "x"))
