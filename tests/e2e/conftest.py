"""A run against a real cluster: requirements, the platform under test, probe pods, and the report at the end."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say
from tenantry.errors import CommandError
from tests.e2e import requirements
from tests.e2e.cluster import LiveCluster
from tests.e2e.deployment import BUILD, PlatformUnderTest, load_image
from tests.e2e.evidence import Evidence
from tests.e2e.gateway import RealGateway
from tests.e2e.probes import Probes
from tests.e2e.promises import PROMISES

SLOW: Final = ("test_rollouts.py", "test_gateway_rollouts.py", "test_scaling.py")
HERE: Final = Path(__file__).parent
EVIDENCE: Final = pytest.StashKey[Evidence]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("e2e")
    group.addoption("--image", default="ml-inference-service:dev", help="the service's image")
    group.addoption("--onnx-image", default="", help="the image for ONNX models; without it, they are not tested")
    group.addoption("--keep", action="store_true", help="leave the platform in the cluster")
    group.addoption(
        "--reuse", action="store_true", help="test the platform in the cluster: apply and delete nothing of it"
    )
    group.addoption(
        "--no-key-check", action="store_true", help="a defect for mutations.py: the tenant of test_keys requires no key"
    )
    group.addoption("--no-evidence", action="store_true", help="store no events and logs of a failure")
    group.addoption(
        "--merge", action="store_true", help="keep an earlier run's results for promises that this run does not test"
    )
    group.addoption("--report", default=str(BUILD), help="folder for e2e-report.json and .md")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[EVIDENCE] = Evidence()
    config.addinivalue_line("markers", "promise(id): the promise of tests/e2e/promises.py that a test checks")
    config.addinivalue_line("markers", "smoke: part of the short form")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """These tests need a cluster, so they run only if their marker is selected."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.e2e)
        marker = item.get_closest_marker("promise")
        if marker is None or marker.args[0] not in PROMISES:
            raise pytest.UsageError(f"{item.nodeid} must name a promise of tests/e2e/promises.py")
    items.sort(key=lambda item: item.path.name in SLOW)  # fast tests first
    if "e2e" not in config.option.markexpr:
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Record a test's outcome in the row of its promise."""
    report: pytest.TestReport = yield
    marker = item.get_closest_marker("promise")
    if marker is None or item.config.stash.get(EVIDENCE, None) is None:
        return report
    row = item.config.stash[EVIDENCE].rows[marker.args[0]]
    if report.failed:
        said = " ".join(str(call.excinfo.value if call.excinfo else "").split())
        row.failures.append(f"{item.name}: {said[:400]}")
        item.session.stash[FAILED] = True
    elif report.skipped:
        item.config.stash[EVIDENCE].not_tested(marker.args[0], f"{report.longrepr[2]}".removeprefix("Skipped: "))  # type: ignore[index]
    elif report.when == "call":
        row.tests += 1
    return report


FAILED: Final = pytest.StashKey[bool]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    evidence = config.stash.get(EVIDENCE, None)
    if evidence is None or not any(row.tests or row.failures or row.untested for row in evidence.rows.values()):
        return
    directory = Path(config.getoption("--report"))
    evidence.about["minutes"] = round((datetime.now(UTC) - evidence.began).total_seconds() / 60, 1)
    evidence.not_tested("delivery", "needs a push to GitHub; the workflows have their own tests")
    if config.getoption("--merge") and (directory / "e2e-report.json").is_file():
        evidence.merge(directory)
    evidence.write(directory)
    terminalreporter.section("promises")
    for key, row in evidence.rows.items():
        counts = ", ".join(f"{number:,} {what}" for what, number in row.counts.items())
        terminalreporter.write_line(f"{key:14} {row.result:10} {row.tests:4} tests  {counts}")
        for why in row.untested:
            terminalreporter.write_line(f"{'':14} not tested: {why}")
    terminalreporter.write_line(f"{evidence.probes:,} probes; report: {directory / 'e2e-report.md'}")


@pytest.fixture(scope="session")
def evidence(pytestconfig: pytest.Config) -> Evidence:
    """The counts and figures of this run."""
    return pytestconfig.stash[EVIDENCE]


@pytest.fixture(scope="session")
def cluster(evidence: Evidence) -> LiveCluster:
    """The cluster that KUBECONFIG names, if it meets the requirements."""
    try:
        cluster = LiveCluster(Kubectl.find(context=os.environ.get("CONTEXT")))
        problems = list(requirements.missing(cluster))
    except CommandError as error:
        problems = [str(error)]
    if problems:
        pytest.exit(
            "this cluster does not meet the requirements:\n" + "\n".join(f"  - {each}" for each in problems),
            returncode=2,
        )
    nodes = cluster.items("nodes")
    evidence.about |= {
        "cluster": f"{len(nodes)} nodes, Kubernetes {nodes[0]['status']['nodeInfo']['kubeletVersion']}, "
        f"{nodes[0]['status']['nodeInfo']['containerRuntimeVersion']}",
        "context": cluster.kubectl.context,
        "commit": _commit(),
        "disruptive tests": os.environ.get("DISPOSABLE") == "1",
    }
    return cluster


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "not a checkout"


@pytest.fixture(scope="session")
def image(cluster: LiveCluster, pytestconfig: pytest.Config) -> str:
    """The image of the service and the probes, on the nodes."""
    image = str(pytestconfig.getoption("--image"))
    if not pytestconfig.getoption("--reuse"):
        load_image(cluster, image)
    return image


@pytest.fixture(scope="session")
def platform(
    cluster: LiveCluster, image: str, evidence: Evidence, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Iterator[PlatformUnderTest]:
    """The tenants of platform.yaml, Ready."""
    platform = PlatformUnderTest(cluster, image)
    reuse = pytestconfig.getoption("--reuse")
    try:
        if reuse:
            platform.adopt()
        else:
            try:
                probes, seconds = requirements.policies_are_enforced(cluster, image)
            except CommandError as error:
                pytest.exit(str(error), returncode=2)
            evidence.count("network", "probes of policy enforcement", probes)
            evidence.figure("network", "seconds until a new policy blocked an open connection", round(seconds, 1))
            platform.prepare()
        yield platform
    except Exception:
        request.session.stash[FAILED] = True
        raise
    finally:
        if request.session.stash.get(FAILED, False) and not pytestconfig.getoption("--no-evidence"):
            kept = Path(pytestconfig.getoption("--report")) / "evidence"
            platform.keep_evidence(kept)
            say(f"events, logs and descriptions are in {kept}")
        if not (reuse or pytestconfig.getoption("--keep")):
            cluster.delete("namespace", requirements.CHECK, requirements.OTHER_NAMESPACE)
            platform.remove()


@pytest.fixture(scope="session")
def probes(
    cluster: LiveCluster, platform: PlatformUnderTest, image: str, pytestconfig: pytest.Config
) -> Iterator[Probes]:
    """Pods in every kind of namespace from which a connection could come."""
    probes = Probes(cluster, image, tuple(platform.tenants), gateway=platform.gateway)
    probes.start()
    yield probes
    if not (pytestconfig.getoption("--reuse") or pytestconfig.getoption("--keep")):
        probes.stop()


@pytest.fixture(scope="session")
def gateway(
    cluster: LiveCluster, platform: PlatformUnderTest, probes: Probes, pytestconfig: pytest.Config
) -> Iterator[RealGateway]:
    """A Gateway with the tenants' routes, if Envoy Gateway runs in the cluster."""
    del probes  # the pod that sends the requests
    found = RealGateway(cluster)
    if reason := found.why_not():
        pytest.skip(reason)
    found.start(platform.tenants)
    if pytestconfig.getoption("--reuse"):
        found.restart(platform.tenants)
    yield found
    if not (pytestconfig.getoption("--reuse") or pytestconfig.getoption("--keep")):
        found.stop()
