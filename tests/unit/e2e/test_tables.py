"""The tables of the end-to-end suite: the docs contain them, and the mutations match dist/."""

import pytest

from tenantry.cluster.applying.kinds import PLATFORM_KINDS, TENANT_KINDS
from tests.e2e.deployment import objects, warnings_of_the_server
from tests.e2e.evidence import Evidence
from tests.e2e.matrix import CALLERS, OF_A_TENANT, Cell, Source, Target, expected, markdown
from tests.e2e.mutation_cases import MUTATIONS, broken
from tests.e2e.promises import PROMISES
from tests.example_platform import accessible_dist
from tests.paths import ROOT


def test_docs_print_the_matrix() -> None:
    """docs/e2e.md contains the table that is measured."""
    text = (ROOT / "docs" / "e2e.md").read_text("utf-8")
    printed = text.partition("<!-- matrix -->\n")[2].partition("<!-- /matrix -->")[0]
    assert printed == markdown(), "regenerate it: python -m tests.e2e.matrix"


@pytest.mark.parametrize("target", OF_A_TENANT)
def test_no_other_pod_reaches_a_tenant(target: Target) -> None:
    """No other tenant and no pod with copied labels can reach any target of a tenant."""
    others = set(Source) - CALLERS - {Source.OWN_NODE}
    assert {expected(source, target) for source in others} <= {Cell.CLOSED, Cell.UNDEFINED}


def test_a_closed_cell_can_have_a_control() -> None:
    """Every target that is closed to some source is open to another one, or a refusal would prove nothing."""
    for target in Target:
        cells = {expected(source, target) for source in Source}
        assert Cell.CLOSED not in cells or cells & {Cell.OPEN, Cell.CONTROL, Cell.EXPOSED}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.what)
def test_a_mutation_changes_an_object_of_dist(mutation: object) -> None:
    """Each mutation names a promise, and finds and changes an object of dist/ or is an option of the suite."""
    chosen = next(each for each in MUTATIONS if each is mutation)
    assert chosen.promise in PROMISES
    if chosen.kind:
        before, after = broken(chosen, objects(accessible_dist()))
        assert before != after
    else:
        assert chosen.options


def test_apply_knows_every_kind_of_dist() -> None:
    """A kind that is missing from the allow-list would never be pruned."""
    for each in objects(accessible_dist()):
        group, _, version = each["apiVersion"].rpartition("/")
        kind = f"{group or 'core'}/{version}/{each['kind']}"
        is_tenants = each["metadata"]["labels"].get("app.kubernetes.io/name") == "ml-inference"
        if not is_tenants and kind == "core/v1/Namespace":
            continue  # the monitoring's: applied, and on purpose never pruned
        assert kind in (TENANT_KINDS if is_tenants else PLATFORM_KINDS)


def test_an_untested_promise_is_not_reported_as_kept() -> None:
    """A promise without a test is "not tested", and one failure breaks it."""
    evidence = Evidence()
    evidence.rows["network"].tests = 3
    evidence.rows["rbac"].tests = 2
    evidence.rows["rbac"].failures.append("too many rights")
    evidence.not_tested("audit", "no log to read")
    results = {each["id"]: each["result"] for each in evidence.document()["promises"]}
    assert (results["network"], results["rbac"], results["audit"]) == ("kept", "broken", "not tested")
    assert "no log to read" in evidence.markdown()


def test_a_table_stands_in_the_section_of_its_promise() -> None:
    evidence = Evidence()
    evidence.rows["benchmarks"].tests = 1
    evidence.table("benchmarks", "tenant-a", ("check", "cluster"), [("block-ns-quota", "pass")])
    section = evidence.markdown().partition(f"## {PROMISES['benchmarks']}")[2]
    assert "### tenant-a\n\n| check | cluster |\n| --- | --- |\n| block-ns-quota | pass |" in section


def test_the_committed_report_covers_every_promise() -> None:
    """docs/e2e-report.md is the report of a run: it has a row with a result for each promise."""
    text = (ROOT / "docs" / "e2e-report.md").read_text("utf-8")
    results = ("| kept |", "| **BROKEN** |", "| not tested |")
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
