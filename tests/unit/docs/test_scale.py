"""The figures of docs/scale.md that follow from code are those of the code."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from constructs_lib.monitoring.load import BASE_BYTES, BYTES_PER_SAMPLE, BYTES_PER_SERIES, LABELS, recorded_series
from constructs_lib.monitoring.scraping import series_per_pod
from constructs_lib.synthesis.cache import LIMIT
from tenantry.cli import app
from tests.example_platform import EXAMPLE, example_dist
from tests.paths import ROOT

PER_FEATURE = series_per_pod(1, runtime="onnx", features=2) - series_per_pod(1, runtime="onnx", features=1)
PER_CALLER = series_per_pod(1, callers=2) - series_per_pod(1, callers=1)
TEXT = " ".join((ROOT / "docs" / "scale.md").read_text("utf-8").split())


def _rules(file: Path) -> int:
    objects = [each for each in yaml.safe_load_all(file.read_text("utf-8")) if each]
    (groups,) = (each["spec"]["groups"] for each in objects if each["kind"] == "PrometheusRule")
    return sum(len(group["rules"]) for group in groups)


@pytest.mark.parametrize(
    "sentence",
    [
        f"Prometheus evaluates {_rules(example_dist() / 'tenant-a.k8s.yaml')} rules per tenant.",
        f"Each pod has {series_per_pod(LABELS)} series in Prometheus if its model classifies texts into {LABELS}",
        f"caller with a key adds {PER_CALLER} series",
        f"each feature with a baseline of an ONNX model {PER_FEATURE}.",
        f"Each tenant has {recorded_series()[0]} recorded ones.",
        f"The model: {BASE_BYTES // 2**20} MiB, and {BYTES_PER_SERIES:,} bytes per series, twice,",
        f"{BYTES_PER_SAMPLE:g} bytes of disk per sample.",
        f"The cache takes at most {LIMIT // 2**20} MiB;",
    ],
)
def test_a_figure_is_that_of_the_code(sentence: str) -> None:
    assert sentence in TEXT


def test_the_printed_line_of_plan_is_what_plan_prints() -> None:
    (line,) = (
        each for each in (ROOT / "docs" / "scale.md").read_text("utf-8").splitlines() if each.startswith("Prometheus: ")
    )
    done = CliRunner().invoke(app, ["plan", "--file", str(EXAMPLE)])
    assert line in done.stdout.splitlines()
