"""`make strict`: reading what outside programs print, and accepting findings with a reason only."""

import json
from pathlib import Path

import pytest

from tests.paths import ROOT
from tools.strict.__main__ import EXCEPTIONS, REPORT
from tools.strict.findings import Accepted, Finding, read_exceptions, unexplained, unneeded
from tools.strict.programs import (
    PROGRAMS,
    ProgramError,
    read_checkov,
    read_kube_linter,
    read_kube_score,
    read_polaris,
    read_tflint,
)
from tools.strict.report import report
from tools.strict.schemas import kubernetes_versions, write_crd_schemas, write_kubernetes_schemas

FOUND = Finding(program="a", check="c", object="Deployment x/y-ml-inference", message="m")
ACCEPTED = Accepted(program="a", check="c", object="Deployment */*-ml-inference", reason="because")


def test_a_finding_needs_an_exception_of_its_program_check_and_object() -> None:
    assert unexplained([FOUND], [ACCEPTED]) == []
    for change in ({"program": "b"}, {"check": "d"}, {"object": "Service */*"}):
        assert unexplained([FOUND], [ACCEPTED.model_copy(update=change)]) == [FOUND]


def test_an_exception_that_accepts_nothing_is_unneeded_where_its_program_ran() -> None:
    assert unneeded([FOUND], [ACCEPTED], ["a"]) == []
    assert unneeded([], [ACCEPTED], ["a"]) == [ACCEPTED]
    assert unneeded([], [ACCEPTED], ["b"]) == []


def test_an_exception_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "exceptions.yaml"
    file.write_text("- {program: a, check: c, object: '*'}\n")
    with pytest.raises(ValueError, match="reason"):
        read_exceptions(file)


def test_reads_kube_score() -> None:
    check = {"check": {"id": "c"}, "skipped": False, "grade": 1, "comments": [{"summary": "one"}, {"summary": "two"}]}
    document = {
        "type_meta": {"kind": "Deployment"},
        "object_meta": {"name": "y-ml-inference", "namespace": "x"},
        "checks": [check, {**check, "grade": 10}, {**check, "skipped": True}],
    }
    assert [*read_kube_score([document])] == [
        Finding(program="kube-score", check="c", object="Deployment x/y-ml-inference", message="one; two")
    ]


def test_reads_kube_linter() -> None:
    found = {"Namespace": "x", "Name": "y", "GroupVersionKind": {"Kind": "Service"}}
    result = {"Reports": [{"Check": "c", "Diagnostic": {"Message": "m"}, "Object": {"K8sObject": found}}]}
    assert [*read_kube_linter(result)] == [Finding(program="kube-linter", check="c", object="Service x/y", message="m")]
    assert [*read_kube_linter({"Reports": None})] == []


def test_reads_polaris_at_every_level() -> None:
    def results(name: str) -> dict[str, object]:
        good = {"ID": "good", "Message": "fine", "Success": True}
        return {"Results": {name: {"ID": name, "Message": "m", "Success": False}, "good": good}}

    document = {
        "Kind": "Deployment", "Namespace": "x", "Name": "y", **results("object"),
        "PodResult": {**results("pod"), "ContainerResults": [results("container")]},
    }  # fmt: skip
    found = [*read_polaris({"Results": [document]})]
    assert [(each.check, each.object) for each in found] == [
        (check, "Deployment x/y") for check in ("object", "pod", "container")
    ]


def test_reads_checkov_and_refuses_a_run_that_read_nothing() -> None:
    failed = {"check_id": "C", "check_name": "m", "resource": "Deployment.x.y"}
    result = {
        "check_type": "kubernetes",
        "summary": {"passed": 3, "parsing_errors": 0},
        "results": {"failed_checks": [failed]},
    }
    assert [*read_checkov(result)] == [Finding(program="checkov", check="C", object="Deployment x/y", message="m")]
    terraform = {**result, "check_type": "terraform", "results": {"failed_checks": [{**failed, "resource": "a.b"}]}}
    assert next(read_checkov([terraform])).object == "a.b"
    for summary in ({"passed": 0, "parsing_errors": 0}, {"passed": 3, "parsing_errors": 1}):
        with pytest.raises(ProgramError, match="did not read everything"):
            list(read_checkov({**result, "summary": summary}))


def test_reads_tflint_and_its_errors() -> None:
    issue = {"rule": {"name": "r"}, "message": "m", "range": {"filename": "main.tf"}}
    assert [*read_tflint({"issues": [issue], "errors": []})] == [
        Finding(program="tflint", check="r", object="main.tf", message="m")
    ]
    with pytest.raises(ProgramError, match="no plugin"):
        list(read_tflint({"issues": [], "errors": [{"message": "no plugin"}]}))


def test_crd_schemas_refuse_fields_that_they_do_not_name(tmp_path: Path) -> None:
    write_crd_schemas(ROOT / "imports" / "crds", tmp_path)
    schema = json.loads((tmp_path / "servicemonitor_v1.json").read_text())
    assert schema["properties"]["spec"]["additionalProperties"] is False
    labels = schema["properties"]["spec"]["properties"]["selector"]["properties"]["matchLabels"]
    assert labels["additionalProperties"] == {"type": "string"}


def test_kubernetes_schemas_contain_what_they_refer_to(tmp_path: Path) -> None:
    oldest, newest = kubernetes_versions()
    assert oldest == "1.30.0"
    assert newest != oldest
    write_kubernetes_schemas(oldest, tmp_path)
    schema = json.loads((tmp_path / "deployment-apps-v1.json").read_text())
    assert "io.k8s.api.core.v1.Container" in schema["$defs"]
    assert "_definitions.json" not in json.dumps(schema)


def test_the_page_is_generated_from_the_exceptions() -> None:
    accepted = read_exceptions(ROOT / EXCEPTIONS)
    assert {each.program for each in accepted} <= {each.name for each in PROGRAMS}
    assert (ROOT / REPORT).read_text() == report(PROGRAMS, accepted), "make strict-report"
