"""All access is logged: reads the API server's audit log."""

import base64
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Account
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence

pytestmark = pytest.mark.promise("audit")
CALLS = (
    ("GET", "/api/v1/namespaces/{own}/pods?limit=7", "list", "pods", 200),
    ("GET", "/api/v1/namespaces/{own}/services?limit=7", "list", "services", 200),
    ("GET", "/api/v1/namespaces/{own}/configmaps/kube-root-ca.crt", "get", "configmaps", 200),
    ("GET", "/api/v1/namespaces/{own}/secrets?limit=7", "list", "secrets", 403),
    ("GET", "/api/v1/namespaces/{own}/secrets/model-store", "get", "secrets", 403),
    ("GET", "/api/v1/namespaces/{other}/pods?limit=7", "list", "pods", 403),
    ("DELETE", "/api/v1/namespaces/{other}/pods/no-such-pod?dryRun=All", "delete", "pods", 403),
    (
        "POST",
        "/apis/networking.k8s.io/v1/namespaces/{own}/networkpolicies?dryRun=All",
        "create",
        "networkpolicies",
        403,
    ),
    ("GET", "/api/v1/nodes?limit=7", "list", "nodes", 403),
)


@pytest.fixture(scope="module")
def log(cluster: LiveCluster) -> Path:
    """The audit log: the file that AUDIT_LOG names, or the one beside the kubeconfig of a disposable cluster."""
    beside = Path(os.environ.get("KUBECONFIG", "none")).parent / "log" / "audit.log"
    path = Path(os.environ.get("AUDIT_LOG", beside))
    del cluster
    if not path.is_file():
        pytest.skip("no audit log can be read here: name it with AUDIT_LOG")
    return path


def test_calls_of_an_account_are_in_the_log(
    log: Path, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """The log contains allowed and denied calls by ServiceAccount, at level Metadata, with the decision and no body."""
    own, other = platform.tenants[:2]
    begin = log.stat().st_size
    with closing(Account(cluster, own, workload(own))) as account:
        for method, path, _, _, status in CALLS:
            assert account.ask(method, path.format(own=own, other=other))[0] == status
    wanted = {(verb, resource, "forbid" if status == 403 else "allow") for _, _, verb, resource, status in CALLS}
    found: list[dict[str, Any]] = []

    def reason() -> str:
        found[:] = [each for each in _events(log, begin) if each["user"]["username"] == account.user]
        return "" if len(found) >= len(CALLS) else f"it contains {len(found)} of {len(CALLS)} calls"

    cluster.wait("the audit log", reason, seconds=20)
    evidence.count("audit", "calls sent", len(CALLS))
    evidence.count("audit", "calls found", len(found))
    assert len(found) == len(CALLS)
    assert {each["level"] for each in found} == {"Metadata"}
    decided = {
        (each["verb"], each["objectRef"]["resource"], each["annotations"]["authorization.k8s.io/decision"])
        for each in found
    }
    assert decided == wanted
    assert not [each for each in found if "requestObject" in each or "responseObject" in each]


def test_no_secret_is_in_the_log(
    log: Path, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """Access to Secrets is logged, their content is not."""
    tenant, begin = platform.tenants[0], log.stat().st_size
    data = cluster.kubectl.get("secret", "model-store", "-n", tenant)["data"]
    name = f"e2e-audit-{time.time_ns()}"
    marker = f"marker-{time.time_ns()}"
    metadata = {"name": name, "namespace": tenant}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": marker}})
    cluster.delete("secret", name, "-n", tenant)

    def reason() -> str:
        seen = [each for each in _events(log, begin) if each.get("objectRef", {}).get("name") == name]
        return "" if {"create", "delete"} <= {each["verb"] for each in seen} else "it does not contain the Secret yet"

    cluster.wait("the audit log", reason, seconds=20)
    held = [marker, base64.b64encode(marker.encode()).decode(), *data.values()]
    held += [base64.b64decode(value).decode() for key, value in data.items() if "SECRET" in key]
    text = log.read_text("utf-8")
    evidence.count("audit", "lines searched for the content of Secrets", text.count("\n"))
    secret = [value for value in held if value != data["AWS_ACCESS_KEY_ID"]]
    assert [value[:4] for value in secret if value in text] == []


def _events(log: Path, begin: int) -> Iterator[dict[str, Any]]:
    """Events after this position in the log."""
    with log.open("rb") as file:
        file.seek(begin)
        for line in file.read().decode("utf-8", "replace").splitlines():
            if line.endswith("}"):
                yield json.loads(line)
