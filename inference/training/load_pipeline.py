"""`python -m inference.training.load_pipeline BYTES FILE TEXTS FOLDER`: load and convert a pipeline in its own process.

Writes the numbers as data and `predict_proba` of the texts into FOLDER; on failure the last line on standard error says
why. Only `inference.training.importing` calls it.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any, Final

import joblib
import msgspec
import numpy as np
import sklearn
from skops.io import get_untrusted_types
from skops.io import load as load_skops

from inference.errors import ConversionError, excerpt
from inference.training.child import limit_memory
from inference.training.convert import convert

_ALLOWED: Final = {
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    *(
        f"sklearn.feature_selection._univariate_selection.{name}"
        for name in ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")
    ),
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
}
"""Types and functions of scikit-learn beside those that skops knows as harmless; loading runs none of them."""


def main(arguments: list[str]) -> int:
    """Load, convert, and write; 1 if that is not possible."""
    limit_memory(arguments[0])
    path, texts, folder = map(Path, arguments[1:])
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pipeline = _load(path)
        _write(pipeline, path, json.loads(texts.read_bytes()), folder, sorted({str(each.message) for each in caught}))
    except ConversionError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the protocol of this program
        return 1
    except Exception as error:  # noqa: BLE001 - a hostile file may raise anything
        print(f"error: cannot be loaded: {excerpt(repr(error))}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _load(path: Path) -> Any:
    if path.suffix != ".skops":
        return joblib.load(path)  # reads plain pickles too
    found = set(get_untrusted_types(file=path))
    if untrusted := found - _ALLOWED:
        raise ConversionError(
            f"holds types that are not allowed: {excerpt(', '.join(sorted(untrusted)))}; use a pipeline of"
            " scikit-learn's own steps"
        )
    return load_skops(path, trusted=sorted(found))


def _write(pipeline: Any, path: Path, texts: list[str], folder: Path, said: list[str]) -> None:
    conversion = convert(pipeline)
    loaded = {
        "labels": conversion.labels,
        "vectorizer": conversion.vectorizer,
        "classifier": conversion.classifier,
        "expected": np.asarray(pipeline.predict_proba(texts), dtype=np.float64).tolist(),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "versions": {
            "numpy": np.__version__,
            "python": ".".join(map(str, sys.version_info[:2])),
            "scikit-learn": sklearn.__version__,
        },
        "warnings": [excerpt(line) for line in said],
    }
    (folder / "weights").write_bytes(conversion.weights)
    (folder / "loaded.json").write_bytes(msgspec.json.encode(loaded))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
