"""The end-to-end suite's tables: the docs print them, and the mutations fit what is committed."""

import pytest

from tenantry.commands.apply import PLATFORM_KINDS, TENANT_KINDS
from tests.e2e.deployment import objects, warnings_of_the_server
from tests.e2e.evidence import Evidence
from tests.e2e.matrix import OF_A_TENANT, Cell, Source, Target, expected, markdown
from tests.e2e.mutations import MUTATIONS, broken
from tests.e2e.promises import PROMISES
from tests.example_platform import example_dist
from tests.paths import ROOT


def test_docs_print_the_matrix() -> None:
    """docs/e2e.md shows the table that is measured."""
    text = (ROOT / "docs" / "e2e.md").read_text("utf-8")
    printed = text.partition("<!-- matrix -->\n")[2].partition("<!-- /matrix -->")[0]
    assert printed == markdown(), "write it anew: python -m tests.e2e.matrix"


@pytest.mark.parametrize("target", OF_A_TENANT)
def test_no_stranger_reaches_a_tenant(target: Target) -> None:
    """Whatever the target, strangers, impostors and other tenants are kept out."""
    outsiders = set(Source) - {Source.SAME_TENANT, Source.PROMETHEUS, Source.OWN_NODE}
    assert {expected(source, target) for source in outsiders} <= {Cell.CLOSED, Cell.UNDEFINED}


def test_a_closed_cell_can_have_a_control() -> None:
    """Every target that is closed to somebody is open to somebody, or a refusal would prove nothing."""
    for target in Target:
        cells = {expected(source, target) for source in Source}
        assert Cell.CLOSED not in cells or cells & {Cell.OPEN, Cell.CONTROL, Cell.EXPOSED}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.what)
def test_mutation_breaks_something_that_is_there(mutation: object) -> None:
    """Each mutation finds its object in dist/ and changes it, and names a promise."""
    chosen = next(each for each in MUTATIONS if each is mutation)
    before, after = broken(chosen, objects(example_dist()))
    assert before != after
    assert chosen.promise in PROMISES


def test_apply_knows_every_kind_of_dist() -> None:
    """A kind that is missing from the allow-list would never be pruned."""
    for each in objects(example_dist()):
        group, _, version = each["apiVersion"].rpartition("/")
        kind = f"{group or 'core'}/{version}/{each['kind']}"
        is_tenants = each["metadata"]["labels"].get("app.kubernetes.io/name") == "ml-inference"
        if not is_tenants and kind == "core/v1/Namespace":
            continue  # the monitoring's: applied, and on purpose never pruned
        assert kind in (TENANT_KINDS if is_tenants else PLATFORM_KINDS)


def test_report_calls_nothing_green_that_was_not_asked() -> None:
    """A promise without a test is "not asked", and one failure breaks it."""
    evidence = Evidence()
    evidence.rows["walls"].tests = 3
    evidence.rows["rbac"].tests = 2
    evidence.rows["rbac"].failures.append("too many rights")
    evidence.not_asked("audit", "no log to read")
    results = {each["id"]: each["result"] for each in evidence.document()["promises"]}
    assert (results["walls"], results["rbac"], results["audit"]) == ("kept", "broken", "not asked")
    assert "no log to read" in evidence.markdown()


def test_docs_carry_a_report_of_every_promise() -> None:
    """docs/e2e-report.md is a report as a run prints it: a row for each promise, with a result."""
    text = (ROOT / "docs" / "e2e-report.md").read_text("utf-8")
    results = ("| kept |", "| **BROKEN** |", "| not asked |")
    rows = [line for line in text.splitlines() if line.startswith("| ") and line.endswith(results)]
    assert [line.split(" | ")[0].removeprefix("| ") for line in rows] == list(PROMISES.values())


def test_kubectls_remark_on_an_adopted_namespace_is_no_warning_of_the_server() -> None:
    """It comes once on every cluster where Terraform or the chart made `monitoring`; nothing else is passed over."""
    remark = (
        "Warning: resource namespaces/monitoring is missing the kubectl.kubernetes.io/last-applied-configuration"
        " annotation which is required by kubectl apply."
    )
    server = "Warning: would violate PodSecurity: runAsNonRoot != true"
    assert warnings_of_the_server(f"{remark}\n{server}\n") == server
    assert warnings_of_the_server(f"{remark}\n") == ""
