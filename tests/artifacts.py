"""Tiny model artifacts for tests that move artifacts about and never predict with them."""

from inference.model import artifact, manifest
from inference.model.artifact import Artifact


def sealed(name: str = "spam", *, macro_f1: float = 0.9, weights: bytes = b"some weights") -> Artifact:
    """A sound artifact whose weights are no model's; other arguments give another digest."""
    label = manifest.LabelMetrics(precision=0.9, recall=0.9, f1=0.9, support=10)
    return artifact.seal(
        weights,
        name=name,
        labels=("ham", "spam"),
        vectorizer=manifest.Vectorizer(
            lowercase=True,
            token_pattern=r"(?u)\b\w\w+\b",  # noqa: S106 - a regular expression
            ngram_range=(1, 2),
            norm="l2",
            sublinear_tf=False,
            use_idf=True,
            terms=3,
        ),
        data=manifest.Data(source="a test", fingerprint="f" * 64, rows=40, train_rows=20),
        metrics=manifest.HoldoutMetrics(
            holdout_rows=20,
            accuracy=macro_f1,
            macro_precision=macro_f1,
            macro_recall=macro_f1,
            macro_f1=macro_f1,
            labels={"ham": label, "spam": label},
            calibration=manifest.Calibration(expected_error=0.1, bins=()),
            confusion=((9, 1), (1, 9)),
        ),
        baseline=manifest.Baseline(confidence=0.9, unknown_words_ratio=0.1, length_characters=100.0),
        versions={},
    )
