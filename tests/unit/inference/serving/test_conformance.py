"""The service conforms to the Open Inference Protocol: every case of the conformance kit, asked over a real socket."""

import pytest

from conformance.runner import Options, Report, run
from tests import onnx_artifacts
from tests.models import write_tiny_model
from tests.service import service


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What the cases find on the service, and on one whose store does not answer."""
    folder = tmp_path_factory.mktemp("conformance")
    model = write_tiny_model(folder / "model")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }.items():
            patch.setenv(name, value)
        waiting = {"wait": "/v2/health/live", "model_uri": "s3://models/nobody/spam"}
        with service(model, folder / "log") as ours, service(model, folder / "waiting", **waiting) as loading:
            return run(Options(url=ours.url, loading_url=loading.url))


@pytest.fixture(scope="module")
def onnx_report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What the cases find on an ONNX model with an input and an output of every datatype."""
    folder = tmp_path_factory.mktemp("conformance-onnx")
    model = onnx_artifacts.written(onnx_artifacts.echo(), folder / "model")
    with service(model, folder / "log", runtime="onnx") as ours:
        return run(Options(url=ours.url))


def test_every_case_passes_on_an_onnx_model_with_every_datatype(onnx_report: Report) -> None:
    """No must and no should fails, and every datatype is asked."""
    assert [(result.case.id, result.detail) for result in onnx_report.having("failed")] == []
    asked = {result.case.id for result in onnx_report.having("passed")}
    names = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "fp32", "fp64"]
    assert {f"datatype.{name}" for name in names} <= asked


def test_every_case_passes(report: Report) -> None:
    """No must and no should fails."""
    assert [(result.case.id, result.detail) for result in report.having("failed")] == []


def test_the_cases_apply(report: Report) -> None:
    """A case that does not apply needs a tensor of another kind, or two of them."""
    reasons = {result.detail for result in report.having("not applicable")}
    assert all("the model has" in reason or "every input varies" in reason for reason in reasons - {NO_PARAMETERS})
    assert report.count("passed") > 180


NO_PARAMETERS = "the response has no parameters"
